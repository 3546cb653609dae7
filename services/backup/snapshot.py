"""A store as it was at one moment, taken while others go on writing; and a store made from one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from services.backup.errors import BackupError
from services.store.database import Database

_ROOM = 64 * 2**20


def take(db: Database, url: str, target: Path) -> None:
    """Writes a copy of the store to `target`, which must not be there. Raises BackupError, OSError.

    SQLite copies it within one read transaction (`VACUUM INTO`), so that what was erased is not in the copy's empty
    pages either. PostgreSQL's `pg_dump` takes it from one snapshot.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if db.is_sqlite:
        _sqlite(db, target)
    else:
        _tool("pg_dump", url, "--format=custom", "--no-owner", f"--file={target}")
    target.chmod(0o600)


def put_back(source: Path, url: str) -> None:
    """Fills an empty PostgreSQL database from a copy, wholly or not at all. Raises BackupError."""
    _tool("pg_restore", url, "--single-transaction", "--no-owner", "--exit-on-error", "--dbname=", str(source))


def sound(path: Path) -> str:
    """What is wrong with a SQLite file; empty if nothing is. Raises OSError when it cannot be opened at all."""
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except dbapi2.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return "" if found == ["ok"] else "; ".join(found)


def is_empty(url: str) -> bool:
    """Whether a database holds no table. Raises BackupError when it cannot be reached."""
    db = Database(url)
    try:
        with db.read() as tx:
            return not sa.inspect(tx).get_table_names()
    except sa.exc.OperationalError as error:
        raise BackupError(f"the database cannot be reached: {error.orig}") from None
    finally:
        db.close()


def _sqlite(db: Database, target: Path) -> None:
    from sqlcipher3 import dbapi2

    connection: Any = None
    try:
        connection = db.engine.raw_connection()
        cursor = connection.cursor()
        size = cursor.execute("PRAGMA page_count").fetchone()[0] * cursor.execute("PRAGMA page_size").fetchone()[0]
        if shutil.disk_usage(target.parent).free < size + _ROOM:
            raise BackupError(f"{target.parent} has no room for a copy of the store ({size >> 20} MB): make room")
        cursor.execute("VACUUM INTO ?", (str(target),))
        fault = sound(target)
    except dbapi2.DatabaseError as error:
        fault = str(error)
    finally:
        if connection is not None:
            connection.close()
    if fault:
        target.unlink(missing_ok=True)
        raise BackupError(f"the store cannot be copied: {fault}. `python app.py doctor` looks into it")


def _tool(name: str, url: str, *arguments: str) -> None:
    program = shutil.which(name)
    if program is None:
        raise BackupError(
            f"{name} is not installed: `apt-get install postgresql-client`, of the server's version or newer"
        )
    environment = libpq_environment(url)
    arguments = tuple(f"--dbname={environment['PGDATABASE']}" if each == "--dbname=" else each for each in arguments)
    done = subprocess.run(
        [program, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{name} failed: {done.stderr.strip() or done.returncode}")


def libpq_environment(url: str) -> dict[str, str]:
    """How PostgreSQL's own programs are told where a server is: not on their command line, which everybody can read."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host") or ""
    port = parsed.port or parsed.query.get("port") or ""
    found = {
        "PGHOST": str(host),
        "PGPORT": str(port),
        "PGUSER": parsed.username or "",
        "PGPASSWORD": parsed.password or "",
        "PGDATABASE": parsed.database or "",
        "PGSSLMODE": str(parsed.query.get("sslmode", "")),
    }
    return {name: value for name, value in found.items() if value}
