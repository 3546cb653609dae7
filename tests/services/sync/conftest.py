"""What the tests of sync share: a real hub over TLS, in processes of its own, and sites enrolled there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.bench.hub import HubStack
from services.runtime import Runtime
from services.sync.identity import Identity, enrol


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubStack]:
    """A hub on SQLite that all tests here talk to."""
    with HubStack(directory=tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def enrolled(served: HubStack, site: Runtime, request: pytest.FixtureRequest) -> Identity:
    """The site of this test is one of that hub's."""
    return enrol(Path(site.settings.data_dir), served.code(request.node.name))
