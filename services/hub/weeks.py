"""What sites saw, week by week: counted from the results, so that no page has to go through all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import eye, result, week
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.database import one_at_a_time

WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 3 * DAY_MS  # 1970 began on a Thursday
SURE, CERTAIN = 50, 100
"""Confidence in hundredths: from a coin's to certainty."""


def week_of(at_ms: int) -> int:
    """The number of the week, from Monday to Sunday UTC, that a time is in."""
    return (at_ms + _MONDAY_MS) // WEEK_MS


def monday_of(number: int) -> date:
    """When a week began."""
    return datetime.fromtimestamp((number * WEEK_MS - _MONDAY_MS) / 1000, UTC).date()


def decided_week() -> sa.ColumnElement[int]:
    """The week of a result, by the site's clock unless that is ahead of the time at which it came."""
    wrong = sa.or_(result.c.decided_at.is_(None), result.c.decided_at > result.c.received_at)
    at = sa.case((wrong, result.c.received_at), else_=result.c.decided_at)
    return (at + _MONDAY_MS) // WEEK_MS


def model_of_result() -> sa.ScalarSelect[Any]:
    """The model that read the last photograph of a result."""
    last = sa.select(eye.c.model_id).where(eye.c.result_id == result.c.id).order_by(eye.c.position.desc()).limit(1)
    return last.correlate(result).scalar_subquery()


def recount(tx: Connection) -> int:
    """Counts every week anew of which results came since the last count. How many weeks."""
    one_at_a_time(tx, "weeks")
    counted = tx.execute(sa.select(sa.func.max(week.c.counted_at))).scalar() or 0
    # An hour twice: a transaction may have been under way whose times are before the last count.
    came = sa.select(decided_week()).where(*_HERE, result.c.received_at > counted - HOUR_MS).distinct()
    touched = list(tx.execute(came).scalars())
    if touched:
        tx.execute(week.delete().where(week.c.week.in_(touched)))
        tx.execute(week.insert(), _counts(tx, touched))
    return len(touched)


_HERE = (result.c.seq > 0, ~result.c.withdrawn)


def _counts(tx: Connection, weeks: Sequence[int]) -> list[dict[str, Any]]:
    found: dict[tuple[int, int, int], dict[str, Any]] = {}

    def row(site_id: int, model_id: int, number: int) -> dict[str, Any]:
        new: dict[str, Any] = {"site_id": site_id, "model_id": model_id, "week": number, "counted_at": now_ms()}
        new |= {"screenings": 0, "positive": 0, "ungradable": 0, "confidence": [0] * (CERTAIN - SURE + 1)}
        return found.setdefault((site_id, model_id, number), new)

    each = (
        sa.select(
            result.c.site_id,
            decided_week().label("week"),
            model_of_result().label("model_id"),
            sa.exists().where(eye.c.result_id == result.c.id, eye.c.outcome == "refer").label("positive"),
            sa.exists().where(eye.c.result_id == result.c.id, ~eye.c.gradable).label("ungradable"),
        )
        .where(*_HERE, decided_week().in_(weeks))
        .subquery()
    )
    grouped = sa.select(
        each.c.site_id,
        each.c.model_id,
        each.c.week,
        sa.func.count(),
        sa.func.sum(sa.case((each.c.positive, 1), else_=0)),
        sa.func.sum(sa.case((each.c.ungradable, 1), else_=0)),
    ).where(each.c.model_id.is_not(None))
    for site_id, model_id, number, screenings, positive, ungradable in tx.execute(
        grouped.group_by(each.c.site_id, each.c.model_id, each.c.week)
    ):
        row(site_id, model_id, number).update(screenings=screenings, positive=positive, ungradable=ungradable)
    likelier = sa.case((eye.c.probability < 0.5, 1 - eye.c.probability), else_=eye.c.probability)
    # By thousandths first: of a cast, SQLite cuts and PostgreSQL rounds.
    hundredth = sa.cast(likelier * 1000, sa.Integer) // 10
    graded = (
        sa.select(result.c.site_id, eye.c.model_id, decided_week().label("week"), hundredth.label("sure"))
        .join(eye, eye.c.result_id == result.c.id)
        .where(*_HERE, decided_week().in_(weeks), eye.c.probability.is_not(None))
        .subquery()
    )
    key = (graded.c.site_id, graded.c.model_id, graded.c.week, graded.c.sure)
    for site_id, model_id, number, sure, count in tx.execute(sa.select(*key, sa.func.count()).group_by(*key)):
        row(site_id, model_id, number)["confidence"][min(max(sure, SURE), CERTAIN) - SURE] += count
    return list(found.values())


def median(confidence: Sequence[int]) -> float | None:
    """The median of photographs counted by confidence, to a hundredth."""
    total, seen = sum(confidence), 0
    for place, count in enumerate(confidence):
        seen += count
        if count and seen * 2 >= total:
            return (SURE + place) / 100
    return None
