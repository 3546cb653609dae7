"""A file is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.durable import write_durably


def test_content_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_durably(path, b"one")
    write_durably(path, b"two", mode=0o640)
    assert path.read_bytes() == b"two"
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_a_failure_keeps_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
