"""The hub's migrations make the tables that its code expects."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.hub.runtime import Hub
from services.hub.tables import METADATA
from services.settings import load


def test_migrations_make_the_tables(tmp_path: Path) -> None:
    hub = Hub(load({"JICHO_HUB_DIR": str(tmp_path), "JICHO_DATA_DIR": str(tmp_path)}, dotenv=tmp_path / "none"))
    hub.migrate()
    with hub.db.read() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), METADATA)
    hub.db.close()
    assert differences == []
