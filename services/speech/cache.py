"""Spoken sentences on disk, by what they would sound like. Bounded; the least recently used go first."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from services.durable import write_durably
from services.speech.audio import Samples
from voices.voice import Voice

_LARGEST_BYTES = 64 * 1024 * 1024


def key_of(voice: Voice, symbols: str) -> str:
    """The name of one sentence's sound: everything that could change it."""
    scales = (voice.length_scale, voice.noise_scale, voice.noise_w_scale)
    parts = ("8000", voice.package, voice.version, *map(str, scales), symbols)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class SoundCache:
    """A folder of 16-bit samples at 8 kHz."""

    def __init__(self, directory: Path, largest_bytes: int = _LARGEST_BYTES) -> None:
        self._directory, self._largest = directory, largest_bytes

    def get(self, key: str) -> Samples | None:
        """The sound, or None."""
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:  # not there, or not readable: either way it has to be said anew
            return None
        # A failing memory card can return half a sample.
        return np.frombuffer(content, np.int16) if content and len(content) % 2 == 0 else None

    def put(self, key: str, samples: Samples) -> None:
        """Keeps a sound, and drops old ones when there are too many. Raises OSError."""
        write_durably(self._path(key), samples.tobytes())
        found = sorted(
            ((entry.stat().st_mtime, entry.stat().st_size, entry) for entry in self._directory.rglob("*.pcm")),
            key=lambda item: item[0],
        )
        excess = sum(size for _, size, _ in found) - self._largest
        for _, size, path in found:
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size

    def _path(self, key: str) -> Path:
        return self._directory / key[:2] / f"{key}.pcm"
