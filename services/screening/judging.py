"""Somebody at the site looks at a patient's photographs and says what she found: by the rules that reviewers at the hub
follow, and with what follows from it at once.

Nobody here makes less cautious what another person found: a referral by a specialist stands until she takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening.decision import EYES, Finding
from services.screening.opinions import CAUTION, Circumstances, Opinion, check
from services.screening.referral import consents
from services.screening.reviews import verdict_that_holds
from services.store.clock import now_ms
from services.store.database import one_at_a_time
from services.store.tables import photo, reading, screening
from services.sync.events import record_result
from services.sync.verdicts import Eye, Here, Told, Verdict, settle

_KNOWS_ALL = 2**62
"""In the place of a sequence number of the hub: who judges here has before her all that the site knows."""


class NotToJudge(Exception):
    """There is no such screening (any more), or something else holds now. The text is the id of the words for it."""


def judge(tx: Connection, screening_id: int, by: Here, last_reading: int, opinion: Opinion) -> Told:
    """Keeps what somebody found when `last_reading` was the newest reading, and does what follows. How the patient
    learns of it. Raises Unsound, NotToJudge."""
    one_at_a_time(tx, f"judge:{screening_id}")
    case = tx.execute(
        sa.select(screening).where(screening.c.id == screening_id).with_for_update(key_share=True)
    ).first()
    if case is None or not consents(tx, case.id):
        raise NotToJudge("review-gone")
    readings = _readings(tx, case.id)
    if not readings or readings[-1].id != last_reading:
        raise NotToJudge("review-newer")
    check(opinion, _circumstances(tx, case, readings))
    held = verdict_that_holds(tx, case.id)
    if (
        held is not None
        and held.account_id != by.account
        and held.last_reading == last_reading
        and CAUTION.index(opinion.outcome) > CAUTION.index(held.outcome)
    ):
        raise NotToJudge("review-held")
    verdict = Verdict(
        screening=case.id,
        review=-by.account,
        seq=_KNOWS_ALL,
        reviewer=-by.account,
        outcome=opinion.outcome,
        eyes={eye: Eye(found.grade, found.oedema) for eye, found in opinion.eyes.items()},
        at=now_ms(),
    )
    told = settle(tx, case, verdict, by)
    if told in ("called", "worker"):
        record_result(tx, case.id)  # the hub's reviewers shall not judge what holds here no longer
    return told


def eyes_shown(tx: Connection, screening_id: int) -> set[str]:
    """The eyes of which a photograph is here."""
    rows = sa.select(photo.c.eye).where(
        photo.c.screening_id == screening_id, photo.c.sha256.is_not(None), photo.c.eye.is_not(None)
    )
    return set(tx.execute(rows).scalars())


def _circumstances(tx: Connection, case: Any, readings: Sequence[Any]) -> Circumstances:
    found: dict[str, list[Finding]] = {eye: [] for eye in EYES}
    for row in readings:
        found[row.eye].append("doubtful" if row.outcome == "retake" and row.gradable else row.outcome)
    shown = {eye for eye in eyes_shown(tx, case.id) if found[eye]}
    return Circumstances(found, shown, urgent=case.priority == "urgent", called_normal=case.outcome == "rescreen")


def _readings(tx: Connection, screening_id: int) -> Sequence[Any]:
    return tx.execute(sa.select(reading).where(reading.c.screening_id == screening_id).order_by(reading.c.id)).all()
