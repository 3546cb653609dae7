"""Numbers that only grow and must outlive a power cut: how far the hub's items were read, the latest time seen."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.database import insert_once
from services.store.tables import sync_mark


def mark(tx: Connection, name: str) -> int:
    """A mark's value; 0 if it was never set."""
    return tx.execute(sa.select(sync_mark.c.value).where(sync_mark.c.name == name)).scalar() or 0


def raise_mark(tx: Connection, name: str, value: int) -> None:
    """Sets a mark, unless it is higher already."""
    insert_once(tx, sync_mark, {"name": name, "value": 0}, key=("name",))
    tx.execute(sync_mark.update().where(sync_mark.c.name == name, sync_mark.c.value < value).values(value=value))


def reset_mark(tx: Connection, name: str, value: int) -> None:
    """Sets a mark, also to a lower value."""
    raise_mark(tx, name, value)
    tx.execute(sync_mark.update().where(sync_mark.c.name == name).values(value=value))
