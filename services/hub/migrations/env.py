"""Alembic's entry for the hub: runs on the connection it is given, in the transaction that is already open."""

from __future__ import annotations

from alembic import context

from services.hub.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table only by copying it
)
context.run_migrations()
