"""One sealed file on a medium: written beside its place, flushed, read back from the medium, and only then there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from services.backup.errors import BackupError
from services.durable import flush_names

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

PART = ".part"
_BLOCK = 1 << 20


class Readable(Protocol):
    """A plain content to seal."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """Where bytes go."""

    def write(self, block: bytes, /) -> object: ...


class Unsealed(Exception):
    """A file does not open with this key, or was changed since it was sealed."""


def write_sealed(target: Path, content: Readable, recipient: Recipient) -> tuple[int, str]:
    """Seals `content` into `target`. The bytes on the medium and their SHA-256.

    Nothing is at `target` before all of it was flushed and read back the same. No mode is set: a stick's file system
    may know none. Raises OSError, and BackupError for a medium that gives back something else than was written.
    """
    from pyrage import EncryptError, encrypt_io

    part = target.with_name(target.name + PART)
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        reader, writer = _Reading(content), _Writing(file)
        try:
            encrypt_io(reader, writer, [recipient])
        except EncryptError:
            raise reader.error or writer.error or BackupError(f"{target} could not be sealed") from None
        file.flush()
        os.fsync(file.fileno())
        # What is read back shall come from the medium, not from memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if fingerprint(part) != (writer.bytes, writer.sha256):
        part.unlink(missing_ok=True)
        raise BackupError(f"{target.parent} gave back something else than was written: the medium is worn, use another")
    os.replace(part, target)
    flush_names(target.parent)
    return writer.bytes, writer.sha256


def open_sealed(source: Path, target: Writable, identity: Identity) -> tuple[int, str]:
    """Writes what `source` holds to `target`. Its plain bytes and their SHA-256. Raises Unsealed, OSError.

    Each block is authenticated before it is handed on; that there are no more is known only at the end.
    """
    from pyrage import DecryptError, decrypt_io

    with source.open("rb") as file:
        reader, writer = _Reading(file), _Writing(target)
        try:
            decrypt_io(reader, writer, [identity])
        except (DecryptError, OSError) as error:
            raise reader.error or writer.error or Unsealed(f"{source.name}: {error}") from None
    return writer.bytes, writer.sha256


def fingerprint(path: Path) -> tuple[int, str]:
    """The size and SHA-256 of a file. Raises OSError."""
    size, digest = 0, hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            digest.update(block)
    return size, digest.hexdigest()


class _Reading:
    """Hands on what it reads, and keeps the error that age would only report as words."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.error: OSError | None = None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self.error = error
            raise


class _Writing:
    """Hands on what is written, and knows how much it was, its hash, and the error that stopped it."""

    def __init__(self, file: Writable) -> None:
        self._file, self._digest, self.bytes = file, hashlib.sha256(), 0
        self.error: OSError | None = None

    def write(self, block: bytes, /) -> int:
        try:
            self._file.write(block)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(block)
        self.bytes += len(block)
        return len(block)

    def flush(self) -> None:
        """Nothing is kept back here."""

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
