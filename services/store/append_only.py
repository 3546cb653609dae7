"""Triggers that refuse to change or delete a row, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def make_append_only(tx: Connection, table: str, key: str) -> None:
    """From now on rows are added to `table` and nothing else. `key` is its primary key."""
    says = f"the table {table} is append-only"
    if tx.dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            tx.exec_driver_sql(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )
        # INSERT OR REPLACE deletes without the trigger above.
        tx.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN SELECT RAISE(ABORT, '{says}'); END"
        )
        return
    tx.exec_driver_sql(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{says}'; END $$"
    )
    tx.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )


def drop_append_only(tx: Connection, table: str) -> None:
    """Takes the triggers away: for a migration backwards, before the table goes."""
    if tx.dialect.name == "sqlite":
        for event in ("update", "delete", "replace"):
            tx.exec_driver_sql(f"DROP TRIGGER {table}_no_{event}")
        return
    tx.exec_driver_sql(f"DROP TRIGGER {table}_no_change ON {table}")
    tx.exec_driver_sql(f"DROP FUNCTION {table}_refuse()")


def append_only(table: sa.Table) -> None:
    """Has the triggers made wherever `table` is created without migrations."""
    key = next(iter(table.primary_key)).name

    def made(_target: sa.Table, connection: Connection, **_: Any) -> None:
        make_append_only(connection, table.name, key)

    sa.event.listen(table, "after_create", made)
