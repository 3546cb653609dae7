"""A site with a recovery key, and a folder that stands for a stick."""

from __future__ import annotations

from pathlib import Path

import pytest
from recovery import KEY

from services.backup import recovery_key
from services.backup.place import Place, site_place
from services.runtime import Runtime


@pytest.fixture
def place(site: Runtime) -> Place:
    found = site_place(site.settings)
    recovery_key.keep_public_half(found.directory, recovery_key.public_half(KEY))
    return found


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder
