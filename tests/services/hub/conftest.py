"""What the tests of the hub share: a hub on a real SQLite file, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import settings
from services.hub import runtime
from services.hub.runtime import Hub
from services.hub.tables import METADATA


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that is also the process's current one."""
    monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    current.db.create_missing(METADATA)
    yield current
    current.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


@pytest.fixture
def migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub as the commands find it: by its migrations."""
    monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    current.migrate()
    yield current
    current.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()
