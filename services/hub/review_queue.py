"""What waits for a reviewer's eye: whoever was not called normal, a few who were, and what reviewers dispute."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import drawn, eye, model, photograph, result, review, site, verdict
from services.store.clock import DAY_MS


def waiting(tx: Connection, *, limit: int = 50) -> list[dict[str, Any]]:
    """Urgent first, then oldest first: `{"id", "site", "screening_ref", "priority", "decided_at", "received_at",
    "outcome", "birth_year", "sex", "why", "disputed"}`.

    `why` is "referable", "doubtful", "ungradable", "other" (sight lost suddenly, no second photograph) or "drawn".
    """
    rows = tx.execute(
        sa.select(
            result.c.id,
            site.c.name.label("site"),
            result.c.screening_ref,
            result.c.priority,
            result.c.decided_at,
            result.c.received_at,
            result.c.outcome,
            result.c.birth_year,
            result.c.sex,
            sa.and_(verdict.c.seq == result.c.seq, verdict.c.state == "disputed").label("disputed"),
        )
        .join(site, site.c.id == result.c.site_id)
        .outerjoin(verdict, verdict.c.result_id == result.c.id)
        .where(*_waits())
        .order_by(result.c.priority != "urgent", result.c.decided_at, result.c.id)
        .limit(limit)
    )
    found = [dict(row) for row in rows.mappings()]
    why = _why(tx, [row["id"] for row in found])
    return [row | {"why": why(row["id"], row["outcome"])} for row in found]


def count(tx: Connection) -> int:
    """How many wait."""
    joined = result.outerjoin(verdict, verdict.c.result_id == result.c.id)
    number: int = tx.execute(sa.select(sa.func.count()).select_from(joined).where(*_waits())).scalar_one()
    return number


def case(tx: Connection, result_id: int) -> dict[str, Any] | None:
    """All that is known of a result: its columns, `site_name`, `age`, `eyes` (each with its `model`) and `verdict`."""
    row = tx.execute(
        sa.select(result, site.c.name.label("site_name"))
        .join(site, site.c.id == result.c.site_id)
        .where(result.c.id == result_id, result.c.seq > 0, ~result.c.withdrawn)
    ).first()
    if row is None:
        return None
    found = dict(row._mapping)
    eyes = tx.execute(
        sa.select(eye, model.c.tier, model.c.name, model.c.version, model.c.threshold, model.c.oedema_threshold)
        .join(model, model.c.id == eye.c.model_id)
        .where(eye.c.result_id == result_id)
        .order_by(eye.c.position)
    )
    found["eyes"] = [dict(each) for each in eyes.mappings()]
    held = tx.execute(sa.select(verdict).where(verdict.c.result_id == result_id)).first()
    found["verdict"] = None if held is None or held.seq != row.seq else dict(held._mapping)
    year = (row.decided_at or row.received_at) // (365.25 * DAY_MS) + 1970
    found["age"] = int(year - row.birth_year) if row.birth_year else None
    return found


def history(tx: Connection, result_id: int) -> list[dict[str, Any]]:
    """Every review of a result, oldest first."""
    rows = tx.execute(sa.select(review).where(review.c.result_id == result_id).order_by(review.c.id))
    return [dict(row) for row in rows.mappings()]


def _waits() -> tuple[sa.ColumnElement[bool], ...]:
    picture = sa.exists().where(
        photograph.c.site_id == result.c.site_id, photograph.c.screening_ref == result.c.screening_ref
    )
    second_look = sa.and_(sa.exists().where(drawn.c.result_id == result.c.id), picture)
    asked = sa.or_(result.c.outcome != "rescreen", sa.and_(result.c.outcome == "rescreen", second_look))
    unseen = sa.or_(verdict.c.id.is_(None), verdict.c.seq < result.c.seq)
    disputed = sa.and_(verdict.c.seq == result.c.seq, verdict.c.state == "disputed")
    return result.c.seq > 0, ~result.c.withdrawn, sa.or_(sa.and_(asked, unseen), disputed)


def _why(tx: Connection, ids: list[int]) -> Any:
    rows = tx.execute(sa.select(eye.c.result_id, eye.c.outcome, eye.c.gradable).where(eye.c.result_id.in_(ids))).all()

    def of(result_id: int, outcome: str) -> str:
        if outcome == "rescreen":
            return "drawn"
        eyes = [row for row in rows if row.result_id == result_id]
        if any(row.outcome == "refer" for row in eyes):
            return "referable"
        if any(row.outcome == "retake" and row.gradable for row in eyes):
            return "doubtful"
        return "ungradable" if any(not row.gradable for row in eyes) else "other"

    return of
