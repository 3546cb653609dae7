"""Sealed files: photographs and what else of a person lies on the disk. Each opens under its own name only."""

from __future__ import annotations

from pathlib import Path

from services.durable import write_durably
from services.store.keyring import Keyring, NotOurs, key_id

MAGIC = b"jicho\x01"


def sealed(content: bytes, name: str, keys: Keyring) -> bytes:
    """The bytes of a sealed file of this name."""
    return MAGIC + keys.seal(content, _place(name))


def opened(content: bytes, name: str, keys: Keyring) -> bytes:
    """What was sealed in a file of this name. Raises NotOurs."""
    if not is_sealed(content):
        raise NotOurs("not sealed")
    return keys.open(content[len(MAGIC) :], _place(name))


def is_sealed(content: bytes) -> bool:
    """Whether these are the bytes of a sealed file."""
    return content.startswith(MAGIC)


def key_of(content: bytes) -> str:
    """The id of the key that sealed a file."""
    return key_id(content[len(MAGIC) :])


def write_sealed(path: Path, content: bytes, keys: Keyring) -> None:
    """Puts `content` at `path`, sealed, whole or not at all. Raises OSError (full disk, no permission)."""
    write_durably(path, sealed(content, path.name, keys))


def read_sealed(path: Path, keys: Keyring) -> bytes:
    """What `write_sealed` put there. Raises FileNotFoundError, and NotOurs for what was put there by somebody else."""
    return opened(path.read_bytes(), path.name, keys)


def seal_again(path: Path, keys: Keyring) -> bool:
    """Seals a file that lies open or that an old key sealed. Whether it had to. Nothing happens if it is gone. Raises
    NotOurs, OSError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    if is_sealed(content):
        if key_of(content) == keys.ring.current:
            return False
        content = opened(content, path.name, keys)
    write_sealed(path, content, keys)
    return True


def _place(name: str) -> bytes:
    return f"file:{name}".encode()
