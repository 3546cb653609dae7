"""Files of the hub, in a directory or in any other store that fsspec knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.hub.media import HubMedia


@pytest.fixture(params=["directory", "file URL", "memory"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> HubMedia:
    places = {
        "directory": str(tmp_path),
        "file URL": f"file://{tmp_path}/deeper",
        "memory": f"memory://{tmp_path.name}",
    }
    return HubMedia(places[request.param])


def test_what_is_put_is_there_until_it_is_deleted(media: HubMedia) -> None:
    media.put("7/1-ab.jpg", b"first")
    media.put("7/1-ab.jpg", b"second")
    media.put("7/2-cd.jpg", b"other")
    assert media.get("7/1-ab.jpg") == b"second"
    for _ in range(2):
        media.delete("7/1-ab.jpg")
    with pytest.raises(FileNotFoundError):
        media.get("7/1-ab.jpg")
    assert media.get("7/2-cd.jpg") == b"other"


def test_nobody_else_on_the_machine_reads_them(tmp_path: Path) -> None:
    HubMedia(str(tmp_path)).put("7/1-ab.jpg", b"an eye")
    assert (tmp_path / "7/1-ab.jpg").stat().st_mode & 0o077 == 0


def test_an_unknown_store_is_told() -> None:
    with pytest.raises(ValueError, match="Protocol not known"):
        HubMedia("nosuch://bucket/prefix")
