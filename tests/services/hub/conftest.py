"""What the tests of the hub share: a hub on a real SQLite file, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services import settings
from services.hub import runtime
from services.hub.runtime import Hub
from services.hub.tables import METADATA


@contextmanager
def _current(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("JICHO_HUB_DIR", str(folder / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(folder / "data"))
    monkeypatch.chdir(folder)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    yield current
    current.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that is also the process's current one."""
    with _current(tmp_path, monkeypatch) as found:
        found.db.create_missing(METADATA)
        yield found


@pytest.fixture
def migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub as the commands find it: by its migrations."""
    with _current(tmp_path, monkeypatch) as found:
        found.migrate()
        yield found
