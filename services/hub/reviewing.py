"""A reviewer's opinion is kept, what follows from all opinions is decided, and the site is told, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub import photographs
from services.hub.audit import LOG
from services.hub.down import send_down
from services.hub.opinions import State, together
from services.hub.reviewers import Reviewer
from services.hub.tables import drawn, eye, result, review, verdict
from services.screening.decision import Finding, Outcome
from services.screening.opinions import Circumstances, Opinion, check
from services.store.audit import by_account
from services.store.clock import now_ms
from services.store.database import insert_once, one_at_a_time
from services.sync.batch import BatchError, Event

_LOG = logging.getLogger(__name__)
VERDICT = "verdict"
"""The kind of what is sent down."""


class _Told(msgspec.Struct):
    """The number of the review, and how the patient learns of it: one of the texts `told-<patient>`."""

    review: int
    patient: Literal["called", "worker", "unchanged", "attended", "stale"]


class NotToReview(Exception):
    """There is no such result (any more), or another one than was looked at. The text is the id of the words for it."""


def save(tx: Connection, reviewer: Reviewer, result_id: int, seq: int, opinion: Opinion) -> State:
    """Keeps what a reviewer thinks of the result that had sequence number `seq` when she looked; if it changes what
    holds, or has a note, its site is told. Raises Unsound, NotToReview.

    An earlier opinion of hers stays in the history and counts no more.
    """
    one_at_a_time(tx, f"review:{result_id}")
    row = tx.execute(sa.select(result).where(result.c.id == result_id, result.c.seq > 0, ~result.c.withdrawn)).first()
    if row is None:
        raise NotToReview("review-gone")
    if row.seq != seq:
        raise NotToReview("review-newer")
    check(opinion, _circumstances(tx, row))
    held = tx.execute(sa.select(verdict).where(verdict.c.result_id == result_id, verdict.c.seq == seq)).first()
    before = row.outcome if held is None else held.outcome
    values = {
        "result_id": result_id,
        "reviewer_id": reviewer.id,
        "seq": seq,
        "outcome": opinion.outcome,
        "outcome_before": before,
        "eyes": opinion.eyes_as_json(),
        "note": opinion.note,
        "at": now_ms(),
    }
    number = tx.execute(review.insert().values(values).returning(review.c.id)).scalar_one()
    LOG.record(tx, by_account(reviewer.name), "reviewed", f"result:{result_id}", outcome=opinion.outcome)
    opinions = standing(tx, result_id, seq)
    state, outcome = together([each.outcome for each in opinions])
    _hold(tx, result_id, seq=seq, state=state, outcome=outcome)
    if held is None or outcome != held.outcome or opinion.note is not None:
        _tell_site(tx, row, number, outcome, opinions, opinion.note)
    return state


def _circumstances(tx: Connection, row: Any) -> Circumstances:
    readings: dict[str, list[Finding]] = {}
    rows = sa.select(eye.c.eye, eye.c.outcome, eye.c.gradable).where(eye.c.result_id == row.id)
    for which, outcome, gradable in tx.execute(rows.order_by(eye.c.position)):
        readings.setdefault(which, []).append("doubtful" if outcome == "retake" and gradable else outcome)
    shown = {each["eye"] for each in photographs.of_result(tx, row.id)} & set(readings)
    return Circumstances(readings, shown, urgent=row.priority == "urgent", called_normal=row.outcome == "rescreen")


def standing(tx: Connection, result_id: int, seq: int) -> Sequence[Any]:
    """The last review of each reviewer of a result, in the order in which they were written."""
    newest = sa.select(sa.func.max(review.c.id)).where(review.c.result_id == result_id, review.c.seq == seq)
    rows = sa.select(review).where(review.c.id.in_(newest.group_by(review.c.reviewer_id))).order_by(review.c.id)
    return tx.execute(rows).all()


def was_told(tx: Connection, site_id: int, events: Sequence[Event]) -> None:
    """Sites say what became of verdicts. Raises BatchError."""
    of_site = sa.select(result.c.id).where(result.c.site_id == site_id)
    for event in events:
        try:
            told = msgspec.convert(event.content, _Told)
        except msgspec.ValidationError as problem:
            raise BatchError(f"not a verdict-told: {problem}") from None
        changed = tx.execute(
            review.update()
            .where(review.c.id == told.review, review.c.result_id.in_(of_site), review.c.told.is_(None))
            .values(told=told.patient, told_at=now_ms())
        )
        if not changed.rowcount:
            _LOG.info("nothing to note", extra={"site": site_id, "review": told.review})


def forget(tx: Connection, _site_id: int, result_ids: Sequence[int]) -> None:
    """Deletes what was found of patients who took their consent back."""
    for table in (review, verdict, drawn):
        tx.execute(table.delete().where(table.c.result_id.in_(result_ids)))


def _hold(tx: Connection, result_id: int, **values: Any) -> None:
    values |= {"at": now_ms()}
    if insert_once(tx, verdict, {"result_id": result_id} | values, key=("result_id",)) is None:
        tx.execute(verdict.update().where(verdict.c.result_id == result_id).values(values))


def _tell_site(
    tx: Connection, row: Any, number: int, outcome: Outcome, opinions: Sequence[Any], note: str | None
) -> None:
    # By the last who thinks so: the newest review may be the one that is in the minority.
    by = next(each for each in reversed(opinions) if each.outcome == outcome)
    content = {
        "screening": row.screening_ref,
        "review": number,
        "seq": row.seq,
        "reviewer": by.reviewer_id,
        "outcome": outcome,
        "eyes": by.eyes,
        "note": note,
        "at": now_ms(),
    }
    send_down(tx, row.site_id, VERDICT, content)
