"""Brings a store to the schema of this release. Run by one process, before any other opens the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from services.store.database import Database, one_at_a_time
from services.store.keyring import Keyring, site_keys
from services.store.lock import SCRUB, has_lock, has_note, is_locked, lock, take_note, unlock
from services.store.schema import SITE_SCRIPTS, SchemaError, keep_copy, newest, refuse_newer


def migrate(
    db: Database,
    revision: str = "head",
    *,
    scripts: Path = SITE_SCRIPTS,
    keys: Callable[[], Keyring] = site_keys,
    copy: bool = True,
) -> None:
    """Applies every migration of `scripts` that is missing, in one transaction, and makes a keyring for a store that
    never had one; before that keeps a `copy` of a store that changes. Raises SchemaError for a store of a newer
    release, and KeyringError where the store's keys are missing."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    with db.write() as tx:
        one_at_a_time(tx, "migrate")  # several hosts may start at once on one PostgreSQL
        before = refuse_newer(tx, scripts)
        unlock(tx, keys())
        if copy and before is not None and before != newest(scripts):
            keep_copy(db, before)
        configuration.attributes["connection"] = tx
        command.upgrade(configuration, revision)
        if not is_locked(tx) and has_lock(tx):
            lock(tx, keys())
        scrub = has_note(tx, SCRUB)
        if scrub and before is None:
            take_note(tx, SCRUB)
            scrub = False  # a store that is new had nothing open
    if scrub:
        # What was sealed still lies open in pages that are free now.
        db.scrub()
        with db.write() as tx:
            take_note(tx, SCRUB)


def downgrade(
    db: Database, revision: str, *, scripts: Path = SITE_SCRIPTS, keys: Callable[[], Keyring] = site_keys
) -> None:
    """Takes migrations back in one transaction, for an older release: what only newer ones know is lost, all else
    stays. Keeps a copy first. Raises SchemaError."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    with db.write() as tx:
        one_at_a_time(tx, "migrate")
        before = refuse_newer(tx, scripts)
        unlock(tx, keys())
        if before is not None:
            keep_copy(db, before)
        configuration.attributes["connection"] = tx
        try:
            command.downgrade(configuration, revision)
        except (CommandError, NotImplementedError) as error:
            raise SchemaError(f"schema {before} cannot be changed back to {revision}: {error}") from None
