"""Files of the hub, in a directory or in any other store that fsspec knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.hub.media import HubMedia
from services.store.keyring import Keyring, NotOurs


@pytest.fixture(params=["directory", "file URL", "memory"])
def media(request: pytest.FixtureRequest, tmp_path: Path, keys: Keyring) -> HubMedia:
    places = {
        "directory": str(tmp_path),
        "file URL": f"file://{tmp_path}/deeper",
        "memory": f"memory://{tmp_path.name}",
    }
    return HubMedia(places[request.param], keys)


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


def test_nobody_else_on_the_machine_reads_them(tmp_path: Path, keys: Keyring) -> None:
    HubMedia(str(tmp_path), keys).put("7/1-ab.jpg", b"an eye")
    assert (tmp_path / "7/1-ab.jpg").stat().st_mode & 0o077 == 0
    assert b"an eye" not in (tmp_path / "7/1-ab.jpg").read_bytes()


def test_a_file_under_another_name_is_refused(tmp_path: Path, keys: Keyring) -> None:
    media = HubMedia(str(tmp_path), keys)
    media.put("7/1-ab.jpg", b"an eye")
    (tmp_path / "7/1-ab.jpg").rename(tmp_path / "7/2-cd.jpg")
    with pytest.raises(NotOurs):
        media.get("7/2-cd.jpg")


def test_what_an_earlier_release_kept_is_sealed(tmp_path: Path, keys: Keyring) -> None:
    media = HubMedia(str(tmp_path), keys)
    (tmp_path / "7").mkdir()
    (tmp_path / "7/1-ab.jpg").write_bytes(b"an eye")
    for _ in range(2):
        media.seal_again("7/1-ab.jpg")
        assert not media.seal_again("7/gone.jpg")
    assert b"an eye" not in (tmp_path / "7/1-ab.jpg").read_bytes()
    assert media.get("7/1-ab.jpg") == b"an eye"


def test_an_unknown_store_is_told(keys: Keyring) -> None:
    with pytest.raises(ValueError, match="Protocol not known"):
        HubMedia("nosuch://bucket/prefix", keys)
