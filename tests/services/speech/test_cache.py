"""Spoken sentences on disk."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.speech.cache import SoundCache, key_of
from voices import voice_for

SOUND = np.arange(500, dtype=np.int16)


def test_a_sound_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", SOUND)
    assert np.array_equal(cache.get("ab12"), SOUND)  # type: ignore[arg-type]


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path, largest_bytes=3 * SOUND.nbytes)
    for age, key in enumerate(("aa1", "bb2", "cc3")):
        cache.put(key, SOUND)
        os.utime(tmp_path / key[:2] / f"{key}.pcm", (1000 + age, 1000 + age))
    cache.get("aa1")
    cache.put("dd4", SOUND)
    assert cache.get("bb2") is None
    assert all(cache.get(key) is not None for key in ("aa1", "cc3", "dd4"))


def test_it_never_holds_more_than_its_bound(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path, largest_bytes=5 * SOUND.nbytes)
    for number in range(20):
        cache.put(f"{number:04}", SOUND)
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.pcm")) <= 5 * SOUND.nbytes


def test_the_name_changes_with_everything_that_changes_the_sound() -> None:
    voice = voice_for("sw")
    changed = [
        replace(voice, version="other"),
        replace(voice, package="other"),
        replace(voice, length_scale=1.0),
        replace(voice, noise_scale=0.1),
        replace(voice, noise_w_scale=0.1),
    ]
    assert len({key_of(voice, "a"), key_of(voice, "b"), *(key_of(each, "a") for each in changed)}) == 7
    assert key_of(voice, "a") == key_of(voice_for("sw"), "a")


@pytest.mark.parametrize("torn", [b"", b"\0\0\0"])
def test_a_torn_file_is_as_good_as_none(tmp_path: Path, torn: bytes) -> None:
    cache = SoundCache(tmp_path)
    cache.put("ab12", SOUND)
    (tmp_path / "ab" / "ab12.pcm").write_bytes(torn)
    assert cache.get("ab12") is None
