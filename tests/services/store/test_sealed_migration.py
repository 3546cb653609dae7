"""A store that an earlier release wrote in the clear is sealed when it is migrated, and means the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from old_store import SECRET, check, write_old

from services.store.database import Database
from services.store.migrate import migrate


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Database]:
    """A store of release 0.9, before anything was sealed."""
    found = Database(f"sqlite:///{tmp_path / 'old.db'}")
    write_old(found)
    yield found
    found.close()


def test_a_store_of_before_is_sealed(old: Database) -> None:
    migrate(old)
    check(old)


def test_nothing_of_before_is_left_in_the_files(old: Database, tmp_path: Path) -> None:
    before = b"".join(path.read_bytes() for path in tmp_path.glob("old.db*"))
    assert all(word.encode() in before for word in SECRET)
    migrate(old)
    after = b"".join(path.read_bytes() for path in tmp_path.glob("old.db*"))
    assert [word for word in SECRET if word.encode() in after] == []
