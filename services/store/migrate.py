"""Brings a store to the schema of this release. Run by one process, before any other opens the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config

from services.store.database import Database, one_at_a_time
from services.store.keyring import Keyring, site_keys
from services.store.lock import has_lock, is_locked, lock, unlock

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(
    db: Database, revision: str = "head", *, scripts: Path = _SCRIPTS, keys: Callable[[], Keyring] = site_keys
) -> None:
    """Applies every migration of `scripts` that is missing, in one transaction, and makes a keyring for a store that
    never had one. Raises alembic.util.CommandError, and KeyringError where the store's keys are missing."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    with db.write() as tx:
        one_at_a_time(tx, "migrate")  # several hosts may start at once on one PostgreSQL
        unlock(tx, keys())
        configuration.attributes["connection"] = tx
        command.upgrade(configuration, revision)
        if not is_locked(tx) and has_lock(tx):
            lock(tx, keys())
