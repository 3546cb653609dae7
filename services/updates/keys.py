"""The keys that sign updates, as files: Ed25519 in PKCS#8 PEM, one file a key, named `<role>-<key id>.pem`.

Root and targets keys say what sites may run: they lie encrypted on a medium that is not the hub's. Snapshot and
timestamp keys only say what is newest and have to sign every day: the hub holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from services.durable import write_durably

Role = Literal["root", "targets", "snapshot", "timestamp"]
ROLES: tuple[Role, ...] = get_args(Role)
OFFLINE: tuple[Role, ...] = ("root", "targets")
_SHOWN = 12  # characters of a key's id in its file's name


class BadKey(Exception):
    """A key file is missing or cannot be opened. The text says which and what to do."""


@dataclass(frozen=True)
class KeyFolder:
    """A folder of key files of one person, and the passphrase that opens them; None for keys that are not encrypted."""

    path: Path
    passphrase: str | None = None

    def make(self, role: Role) -> CryptoSigner:
        """A new key, kept here. Raises OSError."""
        private = Ed25519PrivateKey.generate()
        signer = CryptoSigner(private)
        encryption: KeySerializationEncryption = NoEncryption()
        if self.passphrase:
            encryption = BestAvailableEncryption(self.passphrase.encode())
        content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        write_durably(self.path / f"{role}-{signer.public_key.keyid[:_SHOWN]}.pem", content, mode=0o600)
        return signer

    def load(self, role: Role, wanted: Iterable[str]) -> list[CryptoSigner]:
        """The keys of a role that have one of the `wanted` ids; older ones, since replaced, stay closed. Raises
        BadKey."""
        ids = set(wanted)
        signers = [
            _open(file, self.passphrase)
            for file in sorted(self.path.glob(f"{role}-*.pem"))
            if any(each.startswith(file.stem.removeprefix(f"{role}-")) for each in ids)
        ]
        return [signer for signer in signers if signer.public_key.keyid in ids]


def _open(file: Path, passphrase: str | None) -> CryptoSigner:
    try:
        content = file.read_bytes()
        encrypted = b"ENCRYPTED" in content[:64]
        if encrypted and not passphrase:
            raise BadKey(f"{file.name} is encrypted: give its passphrase")
        private = load_pem_private_key(content, passphrase.encode() if encrypted and passphrase else None)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{file.name} cannot be opened; is the passphrase right? ({error})") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise BadKey(f"{file.name} is no Ed25519 key")
    return CryptoSigner(private)
