"""What happened here and the hub should know: written in the transaction of its cause, sent when there is a link.

An event never holds a name, a phone number or a code. `screening_id` says whose it is; the key that stands for the
patient is made when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import now_ms
from services.store.tables import reading, screening, sync_event
from services.sync import photographs

RESULT, WITHDRAWN, VISIT = "result", "withdrawn", "visit"


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


def record_result(tx: Connection, screening_id: int) -> None:
    """Writes a decided screening down as it is now, in place of what still waits about it. Does nothing for one that is
    not decided or was withdrawn."""
    case = tx.execute(sa.select(screening).where(screening.c.id == screening_id)).one()
    if case.outcome is None:
        return
    # What is on its way now may arrive or not: the new one has a higher number, which wins.
    of_case = sa.and_(sync_event.c.screening_id == screening_id, sync_event.c.kind == RESULT)
    tx.execute(sync_event.delete().where(of_case, sync_event.c.acked_at.is_(None)))
    rows = tx.execute(sa.select(reading).where(reading.c.screening_id == screening_id).order_by(reading.c.id))
    content = {
        "programme": case.programme,
        "sex": case.sex,
        "birth_year": case.birth_year,
        "priority": case.priority,
        "outcome": case.outcome,
        "worker": case.worker_id,
        "opened_at": case.opened_at,
        "decided_at": case.decided_at,
        "readings": [_reading(row) for row in rows],
    }
    urgent = case.priority == "urgent" and case.outcome == "refer"
    record(tx, RESULT, content, screening_id=screening_id, urgent=urgent)
    photographs.choose(tx, screening_id)


def record_withdrawn(tx: Connection, screening_id: int) -> None:
    """Forgets all events of a screening, sent or not, and has the hub forget it too."""
    tx.execute(sync_event.delete().where(sync_event.c.screening_id == screening_id))
    record(tx, WITHDRAWN, {}, screening_id=screening_id)
    photographs.withdraw(tx, screening_id)


def record_visit(tx: Connection, screening_id: int, *, answer: str, reason: str | None, by: str, at: int) -> None:
    """Writes down whether a referred patient went: `answer` is "yes", "not-yet" or "cannot"."""
    content = {"answer": answer, "reason": reason, "by": by, "answered_at": at}
    record(tx, VISIT, content, screening_id=screening_id)


def _reading(row: Any) -> dict[str, Any]:
    return {
        "eye": row.eye,
        "outcome": row.outcome,
        "gradable": row.gradable,
        "quality": row.quality_score,
        "probability": row.probability,
        "oedema": row.oedema_probability,
        "model": {
            "tier": row.tier,
            "name": row.model_name,
            "version": row.model_version,
            "sha256": row.model_sha256,
            "threshold": row.threshold,
            "doubt": row.doubt,
            "oedema_threshold": row.oedema_threshold,
        },
    }
