"""A site and a hub with results, and a FHIR server that takes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fhir_server import FhirServer

from services import settings
from services.hub import runtime as hub_runtime
from services.hub.runtime import Hub


@pytest.fixture
def server() -> Iterator[FhirServer]:
    found = FhirServer()
    yield found
    found.close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    hub_runtime.current.cache_clear()
    settings.current.cache_clear()
    found = hub_runtime.current()
    found.migrate()
    yield found
    found.db.close()
    hub_runtime.current.cache_clear()
    settings.current.cache_clear()
