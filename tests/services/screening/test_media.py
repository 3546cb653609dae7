"""A photograph is stored once, and only its clean copy stays."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.screening.media import MediaStore


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_same_content_is_stored_once(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    sha256 = store.receive(b"picture")
    assert sha256 == hashlib.sha256(b"picture").hexdigest() == store.receive(b"picture")
    assert len(files(tmp_path)) == 1
    assert store.content(sha256) == b"picture"


def test_what_came_goes_when_the_clean_copy_is_there(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    sha256 = store.receive(b"picture with GPS")
    store.replace(sha256, b"picture")
    assert [path.read_bytes() for path in files(tmp_path)] == [b"picture"]
    assert store.content(sha256) == b"picture"
    store.receive(b"picture with GPS")
    assert len(files(tmp_path)) == 1


def test_a_discarded_file_is_gone(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    sha256 = store.receive(b"virus")
    store.discard(sha256)
    assert files(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        store.content(sha256)
