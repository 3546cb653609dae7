"""What the people of a clinic see of its screenings: today's, those that wait for somebody, and one whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening.cases import OPEN_FOR_MS
from services.screening.decision import EYES
from services.screening.judging import eyes_shown
from services.screening.referral import SETTLED, destination
from services.screening.results import eye_outcomes
from services.screening.reviews import verdict_that_holds
from services.settings import current
from services.store.clock import now_ms
from services.store.phones import number_of
from services.store.tables import (
    account,
    consent,
    message,
    photo,
    reading,
    referral,
    retake,
    review,
    screening,
    worker,
)

View = Literal["today", "look", "retake", "referred"]
VIEWS: tuple[View, ...] = ("today", "look", "retake", "referred")
_MOST = 100


def queue(tx: Connection, view: View) -> list[dict[str, Any]]:
    """Screenings, the urgent first, then the newest, a hundred at most: `{"id", "opened_at", "decided_at", "priority",
    "state", "outcome", "sex", "birth_year", "photographs", "waiting", "reviewed"}`.

    "today": opened, photographed or decided today. "look": referred or in doubt, and no person has looked yet.
    "retake": an eye has to be photographed again. "referred": not known to have gone.
    """
    photographs = sa.select(sa.func.count()).where(photo.c.screening_id == screening.c.id).scalar_subquery()
    unread = (
        sa.select(sa.func.count())
        .where(photo.c.screening_id == screening.c.id, photo.c.state == "attached")
        .scalar_subquery()
    )
    seen = sa.exists().where(review.c.screening_id == screening.c.id)
    rows = tx.execute(
        sa.select(
            screening.c.id,
            screening.c.opened_at,
            screening.c.decided_at,
            screening.c.priority,
            screening.c.state,
            screening.c.outcome,
            screening.c.sex,
            screening.c.birth_year,
            photographs.label("photographs"),
            unread.label("waiting"),
            seen.label("reviewed"),
        )
        .where(screening.c.state != "withdrawn", _of_view(view, seen))
        .order_by(screening.c.priority != "urgent", screening.c.id.desc())
        .limit(_MOST)
    )
    return [dict(row) for row in rows.mappings()]


def counts(tx: Connection) -> dict[View, int]:
    """How many each view holds."""
    seen = sa.exists().where(review.c.screening_id == screening.c.id)
    return {
        view: tx.execute(
            sa.select(sa.func.count())
            .select_from(screening)
            .where(screening.c.state != "withdrawn", _of_view(view, seen))
        ).scalar_one()
        for view in VIEWS
    }


def whole(tx: Connection, screening_id: int) -> dict[str, Any] | None:
    """All that is shown of a screening: its columns, and `{"case", "worker", "eyes", "photographs", "readings",
    "reviews", "referral", "messages", "consent", "last_reading", "held", "place", "shown"}`; None for one that is not
    there, or whose consent was taken back."""
    case = tx.execute(
        sa.select(screening).where(screening.c.id == screening_id, screening.c.state != "withdrawn")
    ).first()
    if case is None:
        return None
    of_case = screening_id
    readings = (
        tx.execute(sa.select(reading).where(reading.c.screening_id == of_case).order_by(reading.c.id)).mappings().all()
    )
    photographs = (
        tx.execute(
            sa.select(photo.c.id, photo.c.eye, photo.c.state, photo.c.error, photo.c.received_at, photo.c.sha256)
            .where(photo.c.screening_id == of_case)
            .order_by(photo.c.id)
        )
        .mappings()
        .all()
    )
    reviews = (
        tx.execute(
            sa.select(review, account.c.name.label("by"))
            .outerjoin(account, account.c.id == review.c.account_id)
            .where(review.c.screening_id == of_case)
            .order_by(review.c.id)
        )
        .mappings()
        .all()
    )
    by_photo = {each["photo_id"]: dict(each) for each in readings}
    taken = [dict(each) | {"reading": by_photo.get(each["id"])} for each in photographs]
    return {
        "case": case,
        "worker": tx.execute(sa.select(worker).where(worker.c.id == case.worker_id)).one(),
        "findings": eye_outcomes(tx, of_case),
        "eyes": [{"name": eye, "photographs": [each for each in taken if each["eye"] == eye]} for eye in EYES],
        "reviews": [dict(each) for each in reviews],
        "held": verdict_that_holds(tx, of_case),
        "last_reading": readings[-1]["id"] if readings else 0,
        "shown": eyes_shown(tx, of_case) & {each["eye"] for each in readings},
        "referral": tx.execute(sa.select(referral).where(referral.c.screening_id == of_case)).first(),
        "place": destination(tx, of_case).place,
        "retakes": tx.execute(
            sa.select(retake).where(retake.c.screening_id == of_case, retake.c.next_at.is_not(None))
        ).all(),
        "messages": tx.execute(
            sa.select(message.c.kind, message.c.purpose, message.c.state, message.c.created_at, message.c.cost)
            .where(message.c.screening_id == of_case)
            .order_by(message.c.id)
        ).all(),
        "consent": tx.execute(sa.select(consent).where(consent.c.screening_id == of_case)).first(),
    }


def _of_view(view: View, seen: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    if view == "today":
        began = _midnight_ms()
        taken = sa.exists().where(photo.c.screening_id == screening.c.id, photo.c.received_at >= began)
        return sa.or_(screening.c.opened_at >= began, screening.c.decided_at >= began, taken)
    if view == "look":
        doubtful = sa.exists().where(
            reading.c.screening_id == screening.c.id, reading.c.outcome == "retake", reading.c.gradable
        )
        return sa.and_(sa.or_(screening.c.outcome == "refer", doubtful), ~seen)
    if view == "retake":
        waits = sa.exists().where(retake.c.screening_id == screening.c.id, retake.c.next_at.is_not(None))
        return sa.and_(waits, screening.c.opened_at > now_ms() - OPEN_FOR_MS)
    return sa.exists().where(referral.c.screening_id == screening.c.id, referral.c.state.not_in(SETTLED))


def _midnight_ms() -> int:
    here = datetime.fromtimestamp(now_ms() / 1000, ZoneInfo(current().timezone))
    return int(here.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def number_of_patient(tx: Connection, screening_id: int) -> str | None:
    """The phone number of a patient who is screened with her consent, if she gave one."""
    token = tx.execute(
        sa.select(screening.c.patient_msisdn).where(screening.c.id == screening_id, screening.c.state != "withdrawn")
    ).scalar()
    return None if token is None else number_of(tx, token)
