"""Answered risk questions: kept with the points they gave, and read out in a call to whoever asked for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.messaging.outbox import ring
from services.screening.findrisc import INSTRUMENT, Answers, Score, score
from services.screening.people import caller_for, worker_id
from services.settings import current
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.tables import message, risk_assessment

RISK_CALL = "risk-asked"
"""The purpose of a call that reads the answer out."""
_CALLS_A_DAY = 3
_READ_OUT_FOR_MS = 2 * HOUR_MS  # a call is useful for one hour; a later one is no answer to these questions
_NOTHING: dict[str, Any] = dict.fromkeys(("assessment", "low", "high", "category", "test_advised"))


def record_risk(
    tx: Connection, *, msisdn: str, worker: bool, channel: str, consent_version: str, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """Keeps a full set of answers, the fields of `Answers`, and says what they give: `{"assessment", "low", "high",
    "category", "test_advised"}`, with None for all if `msisdn` talks as a `worker` and is none any more. Raises
    TypeError for other fields.

    A person's own answers are kept with her number. What a health worker typed is somebody else's: it is kept with the
    worker, and without a number.
    """
    typist = worker_id(tx, msisdn) if worker else None
    if worker and typist is None:
        return _NOTHING
    found = score(Answers(**answers))
    row = {
        "msisdn": None if worker else msisdn,
        "worker_id": typist,
        "channel": channel,
        "instrument": INSTRUMENT,
        "answers": dict(answers),
        "points_low": found.low,
        "points": found.high,
        "category": found.category,
        "missing": list(found.missing),
        "consent_version": consent_version,
        "answered_at": now_ms(),
    }
    number = tx.execute(risk_assessment.insert().values(row).returning(risk_assessment.c.id)).scalar_one()
    return _told(number, found)


def newest_risk(tx: Connection, *, msisdn: str) -> dict[str, Any]:
    """What the own answers of a number gave in the last two hours, the newest ones, as `record_risk` says it; with None
    for all if there are none."""
    row = tx.execute(
        sa.select(risk_assessment.c.id, risk_assessment.c.points_low, risk_assessment.c.points)
        .where(risk_assessment.c.msisdn == msisdn, risk_assessment.c.answered_at > now_ms() - _READ_OUT_FOR_MS)
        .order_by(risk_assessment.c.id.desc())
        .limit(1)
    ).first()
    return _NOTHING if row is None else _told(row.id, Score(row.points_low, row.points, ()))


def ring_with_risk(tx: Connection, *, msisdn: str, assessment: int) -> dict[str, Any]:
    """Asks for a call that reads the answer out: `{"state": "calling"|"limit"}`, three a day at most."""
    calls = sa.select(sa.func.count()).where(
        message.c.recipient == msisdn, message.c.purpose == RISK_CALL, message.c.created_at > now_ms() - DAY_MS
    )
    if tx.execute(calls).scalar_one() >= _CALLS_A_DAY:
        return {"state": "limit"}
    ring(
        tx,
        msisdn,
        key=f"{RISK_CALL}:{assessment}",
        purpose=RISK_CALL,
        language=caller_for(tx, msisdn)["language"] or current().language,
        useful_ms=HOUR_MS,
    )
    return {"state": "calling"}


def _told(assessment: int, found: Score) -> dict[str, Any]:
    return {
        "assessment": assessment,
        "low": found.low,
        "high": found.high,
        "category": found.category,
        "test_advised": found.test_advised,
    }
