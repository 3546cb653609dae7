"""What waits to be done, and for how long."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import now_ms
from services.store.tables import outbox


def backlog(tx: Connection) -> dict[str, Any]:
    """`{"queues": {queue: number}, "oldest_ms"}` of what is due and not done; None where nothing waits."""
    due = outbox.c.state != "done", outbox.c.not_before <= now_ms()
    rows = tx.execute(sa.select(outbox.c.queue, sa.func.count().label("number")).where(*due).group_by(outbox.c.queue))
    oldest = tx.execute(sa.select(sa.func.min(outbox.c.not_before)).where(*due)).scalar()
    return {
        "queues": {row.queue: row.number for row in rows},
        "oldest_ms": None if oldest is None else now_ms() - oldest,
    }
