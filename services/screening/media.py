"""Photographs on disk, sealed, and stored once by what they contain."""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.store.files import read_sealed, write_sealed
from services.store.keyring import Keyring


class MediaStore:
    """`received/` holds a photograph as it came, `clean/` the same without metadata; both named by the SHA-256 of what
    came. What came is deleted once the clean copy is safe: it may carry the place and time of somebody's visit.
    """

    def __init__(self, directory: Path, keys: Keyring) -> None:
        self._directory, self._keys = directory, keys

    def receive(self, content: bytes) -> str:
        """Stores what came and returns its SHA-256. Raises OSError when the disk refuses."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._clean(sha256).exists() and not self._received(sha256).exists():
            write_sealed(self._received(sha256), content, self._keys)
        return sha256

    def content(self, sha256: str) -> bytes:
        """The best copy there is. Raises FileNotFoundError, and NotOurs for a file that was not sealed here."""
        clean = self._clean(sha256)
        return read_sealed(clean if clean.exists() else self._received(sha256), self._keys)

    def replace(self, sha256: str, clean: bytes) -> None:
        """Keeps the clean copy instead of what came."""
        write_sealed(self._clean(sha256), clean, self._keys)
        self._received(sha256).unlink(missing_ok=True)

    def discard(self, sha256: str) -> None:
        """Deletes what came, for a file that is no photograph."""
        self._received(sha256).unlink(missing_ok=True)

    def erase(self, sha256: str) -> None:
        """Deletes every copy. Raises OSError when the disk refuses."""
        for path in (self._received(sha256), self._clean(sha256)):
            path.unlink(missing_ok=True)

    def _received(self, sha256: str) -> Path:
        return self._directory / "received" / sha256[:2] / sha256

    def _clean(self, sha256: str) -> Path:
        return self._directory / "clean" / sha256[:2] / f"{sha256}.jpg"
