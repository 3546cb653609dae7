"""A photograph is stored once, and only its clean copy stays."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.screening.media import MediaStore
from services.store.files import read_sealed
from services.store.keyring import Keyring, NotOurs


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_same_content_is_stored_once(tmp_path: Path, keys: Keyring) -> None:
    store = MediaStore(tmp_path, keys)
    sha256 = store.receive(b"picture")
    assert sha256 == hashlib.sha256(b"picture").hexdigest() == store.receive(b"picture")
    assert len(files(tmp_path)) == 1
    assert store.content(sha256) == b"picture"


def test_what_came_goes_when_the_clean_copy_is_there(tmp_path: Path, keys: Keyring) -> None:
    store = MediaStore(tmp_path, keys)
    sha256 = store.receive(b"picture with GPS")
    store.replace(sha256, b"picture")
    assert [read_sealed(path, keys) for path in files(tmp_path)] == [b"picture"]
    assert store.content(sha256) == b"picture"
    store.receive(b"picture with GPS")
    assert len(files(tmp_path)) == 1


def test_what_lies_on_the_disk_says_nothing_and_cannot_be_put_in_anothers_place(tmp_path: Path, keys: Keyring) -> None:
    store = MediaStore(tmp_path, keys)
    mine, hers = store.receive(b"\xff\xd8\xff mine"), store.receive(b"\xff\xd8\xff hers")
    first, second = (next(path for path in files(tmp_path) if path.name == name) for name in (mine, hers))
    assert not any(word in first.read_bytes() for word in (b"\xff\xd8\xff", b"mine"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(NotOurs):
        store.content(mine)
    first.write_bytes(b"\xff\xd8\xff laid there in the clear")
    with pytest.raises(NotOurs):
        store.content(mine)


def test_a_discarded_file_is_gone(tmp_path: Path, keys: Keyring) -> None:
    store = MediaStore(tmp_path, keys)
    sha256 = store.receive(b"virus")
    store.discard(sha256)
    assert files(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        store.content(sha256)
