"""Files that an earlier release left open are sealed at the first start of one that seals them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from services.store.database import Database
from services.store.files import seal_again
from services.store.keyring import Keyring
from services.store.lock import SEAL_FILES, has_note, take_note


def seal_old_files(db: Database, paths: Iterable[Path], keys: Keyring) -> int:
    """Seals them, once for each store; broken off, it goes on at the next start. How many. Raises OSError."""
    with db.read() as tx:
        if not has_note(tx, SEAL_FILES):
            return 0
    sealed = sum(seal_again(path, keys) for path in paths)
    with db.write() as tx:
        take_note(tx, SEAL_FILES)
    return sealed
