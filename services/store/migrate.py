"""Brings a store to the schema of this release. Run by one process, before any other opens the store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from services.store.database import Database, one_at_a_time

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(db: Database, revision: str = "head", *, scripts: Path = _SCRIPTS) -> None:
    """Applies every migration of `scripts` that is missing, in one transaction. Raises alembic.util.CommandError."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    with db.write() as tx:
        one_at_a_time(tx, "migrate")  # several hosts may start at once on one PostgreSQL
        configuration.attributes["connection"] = tx
        command.upgrade(configuration, revision)
