"""What happened here and the hub should know: written in the transaction of its cause, sent when there is a link.

An event never holds a name, a phone number or a code. `screening_id` says whose it is; the key that stands for the
patient is made when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from services.store.clock import now_ms
from services.store.tables import sync_event


def record(
    tx: Connection, kind: str, content: Mapping[str, Any], *, screening_id: int | None = None, urgent: bool = False
) -> int:
    """Writes an event down for the hub; an `urgent` one is sent at once. Its sequence number."""
    values = {
        "kind": kind,
        "screening_id": screening_id,
        "content": dict(content),
        "urgent": urgent,
        "created_at": now_ms(),
    }
    seq: int = tx.execute(sync_event.insert().values(values).returning(sync_event.c.seq)).scalar_one()
    return seq
