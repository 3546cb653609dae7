"""Twelve months after a screening without referable signs, the eyes are due to be photographed again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.tables import follow_up, screening

INTERVAL_DAYS = 365


def due_in_a_year(tx: Connection, screening_id: int) -> None:
    """Has the patient of a screening invited again, once; also if that was taken back meanwhile."""
    due_at = now_ms() + INTERVAL_DAYS * DAY_MS
    row = {"screening_id": screening_id, "state": "waiting", "due_at": due_at, "next_at": due_at}
    if insert_once(tx, follow_up, row, key=("screening_id",)) is None:
        again = follow_up.c.screening_id == screening_id, follow_up.c.state.in_(("referred", "retake"))
        tx.execute(follow_up.update().where(*again).values(row))


def no_longer_due(tx: Connection, screening_id: int, state: str) -> None:
    """Takes back what is due: the patient was referred after all ("referred"), is photographed again ("retake"), came
    already ("came") or withdrew ("closed")."""
    tx.execute(
        follow_up.update()
        .where(follow_up.c.screening_id == screening_id, follow_up.c.state.in_(("waiting", "invited", "unreached")))
        .values(state=state, next_at=None)
    )


def came_again(tx: Connection, case: Any) -> bool:
    """Whether the patient of this screening had a later one: the same phone, sex and year of birth."""
    later = sa.select(screening.c.id).where(
        screening.c.patient_msisdn == case.patient_msisdn,
        screening.c.sex == case.sex,
        screening.c.birth_year == case.birth_year,
        screening.c.opened_at > case.decided_at,
    )
    return case.patient_msisdn is not None and tx.execute(later.limit(1)).first() is not None


def unreached(tx: Connection, screening_id: int, *, until: int) -> bool:
    """The invitation did not reach the patient: her health worker is told at `until`. False if none was sent."""
    sent = follow_up.c.screening_id == screening_id, follow_up.c.state.in_(("invited", "unreached"))
    values = {"state": "unreached", "invited_at": None, "next_at": until}
    return tx.execute(follow_up.update().where(*sent).values(values)).rowcount > 0


def record_invited(tx: Connection, *, follow_up_id: int) -> dict[str, Any]:
    """A call that invites her was picked up."""
    which = follow_up.c.id == follow_up_id, follow_up.c.state == "unreached"
    values = {"state": "invited", "invited_at": now_ms(), "next_at": None}
    tx.execute(follow_up.update().where(*which).values(values))
    return {}


def record_reply(tx: Connection, *, follow_up_id: int, coming: bool) -> dict[str, Any]:
    """What a patient answered to the invitation."""
    tx.execute(
        follow_up.update()
        .where(follow_up.c.id == follow_up_id)
        .values(state="coming" if coming else "declined", answered_at=now_ms(), next_at=None)
    )
    return {}
