"""A referral: opened with the decision, and followed until it is known whether the patient went.

`open → reminded → attended`, or `not attended` once the health worker has been asked to visit; `unreached` while a
message has failed for good; `closed` when nobody may be reminded any more; `withdrawn` when a reviewer found it
unnecessary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening.facilities import by_id, nearest
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.tables import consent, facility, follow_up, referral, screening
from services.sync.events import record_visit

OPEN = ("open", "reminded", "unreached")
SETTLED = ("attended", "closed", "withdrawn")
"""Nobody waits for the visit any more."""
REMINDED, ASKED, ASKED_AGAIN = 1, 2, 3
"""How many messages a patient got."""
VISIT_CALL = "visit-call"
"""The purpose of a call in place of a message that did not arrive."""


@dataclass(frozen=True)
class Pace:
    """Days after the decision by which the patient should be seen, is reminded and is asked; then between questions."""

    due: int
    remind: int
    ask: int
    again: int


PACES = {"routine": Pace(due=30, remind=23, ask=33, again=14), "urgent": Pace(due=1, remind=1, ask=2, again=1)}


@dataclass(frozen=True)
class Destination:
    """Where to go: words or the id of the message that says it, and message ids of the opening days, if known."""

    place: str
    opening: tuple[str, ...] = ()


def open_referral(tx: Connection, screening_id: int, priority: str) -> None:
    """Opens the referral of a screening, once, to the facility that is nearest now; a withdrawn one begins anew."""
    now, pace, chosen = now_ms(), PACES[priority], nearest(tx)
    row = {
        "screening_id": screening_id,
        "facility_id": chosen.id if chosen else None,
        "urgency": priority,
        "state": "open",
        "opened_at": now,
        "due_at": now + pace.due * DAY_MS,
        "next_at": now + pace.remind * DAY_MS,
    }
    if insert_once(tx, referral, row, key=("screening_id",)) is None:
        nothing = dict.fromkeys(("answer", "reason", "answered_by", "answered_at", "worker_told_at"))
        withdrawn = referral.c.screening_id == screening_id, referral.c.state == "withdrawn"
        tx.execute(referral.update().where(*withdrawn).values(row | nothing | {"messages": 0}))


def withdraw_referral(tx: Connection, screening_id: int) -> None:
    """Nobody has to go any more: a reviewer sees no reason to."""
    tx.execute(
        referral.update()
        .where(referral.c.screening_id == screening_id, referral.c.state.not_in(SETTLED))
        .values(state="withdrawn", next_at=None)
    )


def was_seen(tx: Connection, screening_id: int) -> bool:
    """Whether the patient went where she was referred to."""
    attended = sa.select(referral.c.id).where(referral.c.screening_id == screening_id, referral.c.state == "attended")
    return tx.execute(attended).first() is not None


def destination(tx: Connection, screening_id: int | None = None) -> Destination:
    """Where the patient of a screening should go; without one, or once its facility is removed: where all go now."""
    chosen = tx.execute(
        sa.select(referral.c.facility_id)
        .join(facility, facility.c.id == referral.c.facility_id)
        .where(referral.c.screening_id == screening_id, facility.c.active)
    ).scalar()
    found = by_id(tx, chosen) if chosen is not None else nearest(tx)
    return Destination(found.place, found.opening) if found else Destination(current().place)


def record_answer(tx: Connection, *, referral_id: int, answer: str, reason: str | None, by: str) -> dict[str, Any]:
    """Records whether the patient went: `answer` is "yes", "not-yet" or "cannot", said `by` a "patient" or a "worker".

    A patient who cannot go is soon visited by her health worker; who went is not asked again. `{"state": …}`.
    """
    row = tx.execute(sa.select(referral).where(referral.c.id == referral_id)).first()
    if row is None:
        return {"state": "closed"}  # consent was taken back while the question waited
    if row.state in SETTLED:
        return {"state": row.state}
    now = now_ms()
    state, next_at = "reminded" if (row.state, by) == ("unreached", "patient") else row.state, None
    if answer == "yes":
        state = "attended"
    elif answer == "cannot":
        state, next_at = "not attended", now if by == "patient" else None
    elif row.messages < ASKED:
        next_at = row.next_at
    elif row.messages < ASKED_AGAIN:
        next_at = now + PACES[row.urgency].again * DAY_MS
    elif by == "patient" and row.worker_told_at is None:
        next_at = now
    values = {"state": state, "answer": answer, "reason": reason, "answered_by": by, "answered_at": now}
    tx.execute(referral.update().where(referral.c.id == referral_id).values(values | {"next_at": next_at}))
    record_visit(tx, row.screening_id, answer=answer, reason=reason, by=by, at=now)
    return {"state": state}


def unreached(tx: Connection, screening_id: int, *, until: int) -> bool:
    """A message did not reach the patient: it does not count, and her health worker is told, at `until` but not before
    the visit would be asked about. False if no visit is waited for."""
    row = tx.execute(
        sa.select(referral).where(referral.c.screening_id == screening_id, referral.c.state.in_(OPEN))
    ).first()
    if row is None or row.next_at is None:
        return False
    asks = row.opened_at + PACES[row.urgency].ask * DAY_MS
    # Once: the call in place of a message counts as none either.
    got = row.messages if row.state == "unreached" else max(0, row.messages - 1)
    values = {"state": "unreached", "messages": got, "next_at": max(until, asks)}
    tx.execute(referral.update().where(referral.c.id == row.id).values(values))
    return True


def record_reached(tx: Connection, *, referral_id: int) -> dict[str, Any]:
    """A call that asks about the visit was picked up: it counts as the message in whose place it is."""
    row = tx.execute(sa.select(referral).where(referral.c.id == referral_id, referral.c.state == "unreached")).first()
    if row is not None:
        asked = ASKED_AGAIN if row.messages >= ASKED else ASKED
        next_at = now_ms() + PACES[row.urgency].again * DAY_MS
        values = {"state": "reminded", "messages": asked, "next_at": next_at}
        tx.execute(referral.update().where(referral.c.id == row.id).values(values))
    return {}


def worker_unreached(tx: Connection, screening_id: int) -> None:
    """The health worker was not told after all."""
    told = referral.c.screening_id == screening_id, referral.c.worker_told_at.is_not(None)
    tx.execute(referral.update().where(*told).values(worker_told_at=None, state="unreached"))


def asked_by_call(tx: Connection, screening_id: int) -> tuple[str, dict[str, Any]]:
    """The flow and its arguments with which a call asks what a message would have: about this visit, about the one
    whose code is given where several patients share the number, or whether she comes again."""
    waits = sa.select(referral.c.id, screening.c.patient_msisdn).join(screening)
    row = tx.execute(waits.where(screening.c.id == screening_id, referral.c.state.in_(OPEN))).first()
    if row is not None and open_referrals_of(tx, row.patient_msisdn) == 1:
        return "attended", {"referral": row.id}
    due = sa.select(follow_up.c.id).where(follow_up.c.screening_id == screening_id, follow_up.c.state == "unreached")
    invitation = tx.execute(due).scalar() if row is None else None
    return ("visit", {}) if invitation is None else ("invited", {"follow_up": invitation})


def consents(tx: Connection, screening_id: int) -> bool:
    """Whether a consent was given for this screening and not withdrawn: what cannot be found counts as none."""
    rows = tx.execute(sa.select(consent.c.withdrawn_at).where(consent.c.screening_id == screening_id)).scalars().all()
    return bool(rows) and all(withdrawn is None for withdrawn in rows)


def open_referrals_of(tx: Connection, msisdn: str) -> int:
    """How many patients of this phone number are referred and not known to have gone: phones are shared."""
    count: int = tx.execute(
        sa.select(sa.func.count())
        .select_from(referral.join(screening, screening.c.id == referral.c.screening_id))
        .where(screening.c.patient_msisdn == msisdn, referral.c.state.in_(OPEN))
    ).scalar_one()
    return count
