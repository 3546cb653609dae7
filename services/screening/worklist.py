"""What a health worker has opened: screenings that wait for something, and the last ones. Nothing clinical."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening.cases import OPEN_FOR_MS
from services.screening.codes import code_of
from services.screening.decision import EYES, outcome_of_eye
from services.screening.results import eye_outcomes
from services.store.clock import now_ms
from services.store.tables import photo, screening, worker

_MOST = 10
EyeState = Literal["missing", "reading", "retake", "done"]


def pending_of(tx: Connection, *, worker: str) -> dict[str, Any]:
    """The newest ten undecided screenings of a worker that can still be photographed: `{"screenings": [{"code", "left",
    "right"}]}`, each eye with what it waits for."""
    rows = _opened_by(tx, worker, screening.c.state == "open", screening.c.opened_at > now_ms() - OPEN_FOR_MS)
    return {
        "screenings": [{"code": code_of(row)} | {eye: _eye_state(tx, row.id, eye) for eye in EYES} for row in rows],
    }


def recent_of(tx: Connection, *, worker: str) -> dict[str, Any]:
    """The last ten screenings of a worker: `{"screenings": [{"code", "state"}]}`, "open", "decided" or "withdrawn"."""
    return {"screenings": [{"code": code_of(row), "state": row.state} for row in _opened_by(tx, worker)]}


def _opened_by(tx: Connection, msisdn: str, *which: sa.ColumnElement[bool]) -> Any:
    return tx.execute(
        sa.select(screening.c.id, screening.c.code, screening.c.code_sealed, screening.c.state)
        .join(worker, worker.c.id == screening.c.worker_id)
        .where(worker.c.msisdn == msisdn, worker.c.active, *which)
        .order_by(screening.c.id.desc())
        .limit(_MOST)
    ).all()


def _eye_state(tx: Connection, screening_id: int, eye: str) -> EyeState:
    waits = tx.execute(
        sa.select(photo.c.id).where(
            photo.c.screening_id == screening_id, photo.c.eye == eye, photo.c.state == "attached"
        )
    ).first()
    if waits is not None:
        return "reading"
    outcome = outcome_of_eye(eye_outcomes(tx, screening_id)[eye])
    if outcome is None:
        return "missing"
    return "retake" if outcome == "retake" else "done"
