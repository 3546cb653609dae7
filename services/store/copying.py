"""A copy of a SQLite store as it is at one moment, while others go on writing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from services.store.database import Database

_ROOM = 64 * 2**20


class NotCopied(Exception):
    """There is no room for a copy, or the store is damaged. The text says which."""


def copy_sqlite(db: Database, target: Path) -> None:
    """Writes the store to `target`, which must not be there, within one read transaction (`VACUUM INTO`): what was
    erased is not in the copy's empty pages either. Raises NotCopied, OSError."""
    from sqlcipher3 import dbapi2

    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection: Any = None
    try:
        connection = db.engine.raw_connection()
        cursor = connection.cursor()
        size = cursor.execute("PRAGMA page_count").fetchone()[0] * cursor.execute("PRAGMA page_size").fetchone()[0]
        if shutil.disk_usage(target.parent).free < size + _ROOM:
            raise NotCopied(f"{target.parent} has no room for a copy of the store ({size >> 20} MB): make room")
        cursor.execute("VACUUM INTO ?", (str(target),))
        fault = damage(target)
    except dbapi2.DatabaseError as error:
        fault = str(error)
    finally:
        if connection is not None:
            connection.close()
    if fault:
        target.unlink(missing_ok=True)
        raise NotCopied(f"the store cannot be copied: {fault}. `python app.py doctor` looks into it")
    target.chmod(0o600)


def damage(path: Path) -> str:
    """What is wrong with a SQLite file; empty if nothing is."""
    from sqlcipher3 import dbapi2

    try:
        connection = dbapi2.connect(f"file:{path}?mode=ro", uri=True)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
        finally:
            connection.close()
    except dbapi2.DatabaseError as error:
        return str(error)
    return "" if found == ["ok"] else "; ".join(found)
