"""Brings a store to the schema of this release. Run by one process, before any other opens the store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from services.store.database import Database

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(db: Database, revision: str = "head") -> None:
    """Applies every migration that is missing, in one transaction each. Raises alembic.util.CommandError."""
    configuration = Config()
    configuration.set_main_option("script_location", str(_SCRIPTS))
    with db.write() as tx:
        configuration.attributes["connection"] = tx
        command.upgrade(configuration, revision)
