"""What many tests share: a fresh site on a real SQLite file, with the trial settings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from services import runtime, settings
from services.programmes import FIRST
from services.runtime import Runtime
from services.store.keyring import Keyring

# The same cases in every run: a check that fails one time in ten says nothing about the change it is run for.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def _keys_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keyrings of stores in the tests lie outside the stores' folders, and not in the home of whoever runs them."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden transcripts anew")


@pytest.fixture
def programmes() -> str:
    """What the site offers: a clinic's own, so that another programme changes no clinic's test."""
    return FIRST


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """A keyring of nobody's."""
    found = Keyring(tmp_path_factory.mktemp("keys") / "keys.json")
    found.create()
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programmes: str) -> Iterator[Runtime]:
    """A site in a folder of its own, which is also the process's current one."""
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JICHO_PROGRAMMES", programmes)
    monkeypatch.chdir(tmp_path)
    plenty = {"battery_percent": None, "on_mains": True, "memory_mb": 4096, "disk_mb": 10_000}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "probes.json").write_text(json.dumps(plenty))
    settings.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    current.db.create_missing()
    yield current
    current.tally.stop()
    current.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()
