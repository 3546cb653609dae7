"""Messages as people look at them: newest first, recipients masked, no text."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.phone_numbers import masked
from services.store.phones import number_of
from services.store.tables import message

_MOST = 100


def newest(tx: Connection, state: str = "") -> list[dict[str, Any]]:
    """A hundred at most, of one state or of all: `{"id", "kind", "purpose", "state", "parts", "attempts", "cost",
    "carrier", "reason", "created_at", "settled_at", "screening_id", "to"}`."""
    rows = tx.execute(
        sa.select(message)
        .where(message.c.state == state if state else sa.true())
        .order_by(message.c.id.desc())
        .limit(_MOST)
    ).all()
    columns = (
        *("id", "kind", "purpose", "state", "parts", "attempts", "cost", "carrier", "reason"),
        *("created_at", "settled_at", "screening_id"),
    )
    return [
        {name: getattr(row, name) for name in columns} | {"to": masked(number_of(tx, row.recipient) or "")}
        for row in rows
    ]


def states(tx: Connection) -> dict[str, int]:
    """How many are in each state."""
    rows = tx.execute(sa.select(message.c.state, sa.func.count().label("number")).group_by(message.c.state))
    return {row.state: row.number for row in rows}
