"""Which schema a store has, and the copies that are kept beside it before it gets a newer one."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

from services.durable import flush_names
from services.settings import SettingsError
from services.store.copying import NotCopied, copy_sqlite, damage
from services.store.database import Database

SITE_SCRIPTS = Path(__file__).with_name("migrations")
_VERSIONS = sa.table("alembic_version", sa.column("version_num", sa.Text))
_KEEP = 2
_KEEP_MS = 30 * 86_400_000
"""A copy from before an upgrade holds what was erased since: it goes once nobody will roll back any more."""
_SEALED_SINCE, _KEEP_OPEN_MS = "0019", 86_400_000
_NAME = re.compile(r"schema-([0-9a-z]+)-(\d+)\.db")


class SchemaError(SettingsError):
    """A store cannot be brought to the schema of this release. The text says why and what to do."""


def schema_of(tx: Connection) -> str | None:
    """The schema of a store; None for one without tables, or that tests made."""
    if not sa.inspect(tx).has_table(_VERSIONS.name):
        return None
    found: str | None = tx.execute(sa.select(_VERSIONS.c.version_num)).scalar()
    return found


def newest(scripts: Path = SITE_SCRIPTS) -> str:
    """The schema of this release."""
    return max(_known(scripts))


def refuse_newer(tx: Connection, scripts: Path = SITE_SCRIPTS) -> str | None:
    """The schema of a store that this release knows. Raises SchemaError for one that a newer release made: what it
    keeps there would be misread."""
    found = schema_of(tx)
    if found is not None and found not in _known(scripts):
        raise SchemaError(
            f"the store has schema {found}, this release of Jicho knows none newer than {newest(scripts)}: install the "
            "release that made it, or roll back (docs/operating.md)"
        )
    return found


def keep_copy(db: Database, schema: str) -> Path | None:
    """Copies a SQLite store beside itself before it changes. Where; None on PostgreSQL, which changes all or nothing
    and has backups of its own. Raises SchemaError when there is no room."""
    file = _file(db)
    if file is None:
        return None
    folder = file.parent / "backup"
    target = folder / f"schema-{schema}-{time.time_ns() // 1_000_000}.db"
    part = target.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        copy_sqlite(db, part)
        os.replace(part, target)
        flush_names(folder)
    except (NotCopied, OSError) as error:
        raise SchemaError(f"no copy could be made before the upgrade, so nothing was changed: {error}") from None
    forget_old(db)
    return target


def copies(db: Database) -> list[Path]:
    """The copies beside a store, oldest first."""
    file = _file(db)
    found = [] if file is None else list((file.parent / "backup").glob("schema-*.db"))
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_made)


def put_copy_back(db: Database) -> Path:
    """Puts the newest copy in the store's place, as if the upgrade had not been; the upgraded store is kept as a copy.
    Only for a store on which nothing ran since: messages that were sent would be sent again. Raises SchemaError."""
    file, found = _file(db), copies(db)
    if file is None or not found:
        raise SchemaError(
            "there is no copy from before an upgrade: `python app.py schema --to SCHEMA` changes the store"
        )
    with db.read() as tx:
        now = schema_of(tx)
    newest_copy = found[-1]
    if fault := damage(newest_copy):
        raise SchemaError(f"{newest_copy} is damaged: {fault}")
    kept = keep_copy(db, now or "none")
    db.engine.dispose()
    for path in file.parent.glob(f"{file.name}-*"):  # what WAL left beside it belongs to the other store
        path.unlink()
    os.replace(newest_copy, file)
    flush_names(file.parent)
    assert kept is not None, "this is SQLite"
    return kept


def forget_old(db: Database) -> None:
    """Deletes all but the newest two copies, and those older than thirty days. Raises OSError."""
    found = copies(db)
    for path in found:
        if path not in found[-_KEEP:] or _made(path) + _KEEP_MS < time.time_ns() // 1_000_000:
            path.unlink()


def forget_open(db: Database) -> None:
    """Deletes the site's copies of before what is personal was sealed, a day after the upgrade: they lie in the clear.
    Raises OSError."""
    for path in copies(db):
        if schema_in_name(path) < _SEALED_SINCE and _made(path) + _KEEP_OPEN_MS < time.time_ns() // 1_000_000:
            path.unlink()


def schema_in_name(path: Path) -> str:
    """The schema that a copy has."""
    match = _NAME.fullmatch(path.name)
    return match[1] if match else ""


def _made(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[2]) if match else 0


def _file(db: Database) -> Path | None:
    return Path(make_url(db.engine.url).database or "") if db.is_sqlite else None


def _known(scripts: Path) -> set[str]:
    """The schemas of this release, by the names of its migrations: a gateway asks too, and Alembic is large."""
    return {path.name.split("_")[0] for path in (scripts / "versions").glob("[0-9]*_*.py")}
