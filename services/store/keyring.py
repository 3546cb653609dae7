"""The keys of a store: a file outside the data directory, so that whoever carries the disk away reads nobody's data.

A ring holds AES-256 keys by id, of which one seals and all open; one key for look-ups by keyed hash; and one that
chains the audit log. Site and hub have a ring each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from services.durable import write_durably
from services.settings import Settings, SettingsError, current

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES, _ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 4, 12, 16
_LOOK_AGAIN_S = 1.0


class KeyringError(SettingsError):
    """The keys are missing, damaged or another store's. The text says which file and what to do."""


class NotOurs(Exception):
    """What was to be opened was not sealed by these keys, for this place, or was changed since."""


@dataclass(frozen=True)
class Ring:
    """`current` is the id of the key that seals. Ids are 4 bytes in hexadecimal."""

    current: str
    keys: Mapping[str, bytes]
    lookup: bytes
    audit: bytes

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Key id, nonce, ciphertext and tag. It opens at `place`, the additional data, and nowhere else."""
        nonce = os.urandom(_NONCE_BYTES)
        return bytes.fromhex(self.current) + nonce + self._ciphers[self.current].encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed at `place`. Raises NotOurs."""
        from cryptography.exceptions import InvalidTag

        cipher = self._ciphers.get(key_id(sealed))
        head = _ID_BYTES + _NONCE_BYTES
        if cipher is None or len(sealed) < head + _TAG_BYTES:
            raise NotOurs("sealed with a key that is not in the ring")
        try:
            return cipher.decrypt(sealed[_ID_BYTES:head], sealed[head:], place)
        except InvalidTag:
            raise NotOurs("changed since it was sealed, or moved to another place") from None

    def token(self, kind: str, value: str) -> str:
        """The keyed hash by which a value of this kind is looked up: 128 bits in 22 characters."""
        return _token(self.lookup, kind, value)

    def digest(self, kind: str, value: str) -> bytes:
        """The same as 16 bytes."""
        return _digest(self.lookup, kind, value)

    def chain(self, content: bytes) -> str:
        """The keyed hash of an entry of the audit log, in hexadecimal."""
        return hmac.digest(self.audit, content, hashlib.sha256).hex()

    def with_new_key(self) -> Ring:
        """The same ring, sealing with a key that is made now."""
        fresh = secrets.token_hex(_ID_BYTES)
        return replace(self, current=fresh, keys={**self.keys, fresh: secrets.token_bytes(_KEY_BYTES)})

    def without_old_keys(self) -> Ring:
        """The same ring with the key that seals alone: what others sealed never opens again."""
        return replace(self, keys={self.current: self.keys[self.current]})

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        # Here and not above: a process that seals nothing does not load OpenSSL for it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return {name: AESGCM(key) for name, key in self.keys.items()}


class Keyring:
    """The ring in a file, read again when the file changes: a rotation reaches running processes within a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ring: Ring | None = None
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0

    @property
    def ring(self) -> Ring:
        """The keys. Raises KeyringError."""
        now = time.monotonic()
        if self._ring is None or now >= self._look_at:
            self._look_at = now + _LOOK_AGAIN_S
            self._read_if_changed()
        assert self._ring is not None
        return self._ring

    @property
    def exists(self) -> bool:
        return self.path.is_file()

    def seal(self, content: bytes, place: bytes) -> bytes:
        """See `Ring.seal`."""
        return self.ring.seal(content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """See `Ring.open`. Raises NotOurs."""
        if key_id(sealed) not in self.ring.keys:
            self._look_at = 0  # another process may have rotated the keys a moment ago
        return self.ring.open(sealed, place)

    def create(self) -> None:
        """Makes a ring, readable by this user alone. Raises KeyringError: never over one that is there."""
        if self.exists:
            raise KeyringError(f"{self.path} holds a keyring already")
        first = secrets.token_hex(_ID_BYTES)
        lookup, audit, key = (secrets.token_bytes(_KEY_BYTES) for _ in range(3))
        self.write(Ring(first, {first: key}, lookup, audit))

    def write(self, ring: Ring) -> None:
        """Keeps the ring, whole or not at all. Raises KeyringError."""
        keys = {name: _text(key) for name, key in ring.keys.items()}
        content = {"current": ring.current, "keys": keys, "lookup": _text(ring.lookup), "audit": _text(ring.audit)}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(self.path, json.dumps(content, indent=1).encode(), mode=0o600)
        except OSError as error:
            raise KeyringError(f"the keyring {self.path} cannot be written: {error.strerror or error}") from None
        self._ring, self._seen = ring, self._stamp()

    def _read_if_changed(self) -> None:
        stamp = self._stamp()
        if self._ring is None or stamp != self._seen:
            self._ring, self._seen = _read(self.path), stamp

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def site_keys() -> Keyring:
    """The site's keyring, by this process's settings."""
    return keyring_at(_other_sites[-1]) if _other_sites else _site_keys(current())


def hub_keys() -> Keyring:
    """The hub's keyring, by this process's settings."""
    return keyring_at(_other_hubs[-1] if _other_hubs else current().hub_keyring_path)


def keys_of_another_site(path: Path) -> AbstractContextManager[None]:
    """Has this whole process use another site's keyring meanwhile: for whoever drives one and looks into its store."""
    return _instead(_other_sites, path)


def keys_of_another_hub(path: Path) -> AbstractContextManager[None]:
    """The same for a hub's."""
    return _instead(_other_hubs, path)


@contextmanager
def _instead(others: list[Path], path: Path) -> Iterator[None]:
    others.append(path)
    try:
        yield
    finally:
        others.pop()


def key_id(sealed: bytes) -> str:
    """The id of the key that sealed this."""
    return sealed[:_ID_BYTES].hex()


def _digest(key: bytes, kind: str, value: str) -> bytes:
    return hmac.digest(key, f"{kind}:{value}".encode(), hashlib.sha256)[:16]


@lru_cache(maxsize=1024)  # one turn of a conversation looks the same number up five times
def _token(key: bytes, kind: str, value: str) -> str:
    return base64.urlsafe_b64encode(_digest(key, kind, value)).rstrip(b"=").decode()


_other_sites: list[Path] = []
_other_hubs: list[Path] = []
_found: list[tuple[Settings, Keyring]] = []


def _site_keys(settings: Settings) -> Keyring:
    # Asked for several times a turn: to find the path out each time would be a third of the turn's work.
    if not _found or _found[0][0] is not settings:
        _found[:] = [(settings, keyring_at(settings.keyring_path))]
    return _found[0][1]


@lru_cache(maxsize=8)
def keyring_at(path: Path) -> Keyring:
    """The keyring in a file."""
    return Keyring(path)


def _read(path: Path) -> Ring:
    try:
        content = json.loads(path.read_bytes())
        keys = {str(name): _bytes(key) for name, key in content["keys"].items()}
        ring = Ring(str(content["current"]), keys, _bytes(content["lookup"]), _bytes(content["audit"]))
    except FileNotFoundError:
        raise KeyringError(
            f"there is no keyring at {path}: put back the copy that was kept, or set JICHO_KEYRING (JICHO_HUB_KEYRING "
            "at a hub) to where it lies"
        ) from None
    except OSError as error:
        raise KeyringError(f"the keyring {path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyringError(f"the keyring {path} is damaged: put back the copy that was kept") from None
    if ring.current not in keys or any(len(key) != _KEY_BYTES for key in (*keys.values(), ring.lookup, ring.audit)):
        raise KeyringError(f"the keyring {path} is damaged: put back the copy that was kept")
    return ring


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
