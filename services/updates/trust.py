"""The root of all trust in updates, as the hub gave it at enrolment: whose keys say what this site may run."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from services.durable import write_durably

_ROOT = "root.json"


class BadRoot(Exception):
    """This is no root of an update repository. The text says why."""


def folder_of(data_dir: Path) -> Path:
    """Where a site keeps what concerns updates."""
    return data_dir / "updates"


def keep_root(data_dir: Path, content: bytes) -> str:
    """Trusts a root from now on; what another one vouched for is forgotten. Its fingerprint.

    Raises BadRoot, OSError."""
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Root
    from tuf.api.serialization import DeserializationError

    try:
        root = Metadata[Root].from_bytes(content)
        if not isinstance(root.signed, Root):
            raise BadRoot(f"this is a {root.signed.type}, no root")
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    except (DeserializationError, RepositoryError, ValueError) as error:
        raise BadRoot(f"this is no root of an update repository: {error}") from None
    folder = folder_of(data_dir)
    if trusted_root(data_dir) not in (None, content):
        for each in ("metadata", "partial"):
            shutil.rmtree(folder / each, ignore_errors=True)
    write_durably(folder / _ROOT, content, mode=0o644)
    return fingerprint(content)


def trusted_root(data_dir: Path) -> bytes | None:
    """The root that this site trusts; None if it was given none."""
    try:
        return (folder_of(data_dir) / _ROOT).read_bytes()
    except FileNotFoundError:
        return None


def fingerprint(content: bytes) -> str:
    """What two people compare over the telephone: 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:32]
