"""A store as it was at one moment, taken while others go on writing; and a store made from one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from services.backup.errors import BackupError
from services.store.copying import NotCopied, copy_sqlite
from services.store.database import Database


def take(db: Database, url: str, target: Path) -> None:
    """Writes a copy of the store to `target`, which must not be there. Raises BackupError, OSError.

    PostgreSQL's `pg_dump` takes it from one snapshot.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if db.is_sqlite:
        try:
            copy_sqlite(db, target)
        except NotCopied as error:
            raise BackupError(str(error)) from None
    else:
        _tool("pg_dump", url, "--format=custom", "--no-owner", f"--file={target}")
    target.chmod(0o600)


def put_back(source: Path, url: str) -> None:
    """Fills an empty PostgreSQL database from a copy, wholly or not at all. Raises BackupError."""
    _tool("pg_restore", url, "--single-transaction", "--no-owner", "--exit-on-error", "--dbname=", str(source))


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
