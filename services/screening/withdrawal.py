"""A consent is taken back: what waited is stopped in the same transaction, what was recorded is erased by a job later.

What stays says nothing of health: that a screening with this code was opened by this worker at this time, and of its
consent version, language and channel, when it was given, and when, where and by whom (patient or worker) it was taken
back. Of each message stay kind, time, state and cost; of each photograph, that one came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import DeliveryState
from services.messaging.outbox import DELIVERY, enqueue
from services.runtime import Runtime
from services.screening.cases import find
from services.screening.codes import code_of
from services.screening.mentions import erase_mentions, mentions
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.sealing import NOTHING
from services.store.tables import (
    app_reading,
    consent,
    follow_up,
    inbound,
    message,
    outbox,
    photo,
    reading,
    referral,
    retake,
    review,
    risk_assessment,
    screening,
)
from services.sync.events import record_withdrawn
from services.sync.photographs import erase_file

ERASED = "consent-withdrawn"
_SESSION_MS = 10 * MINUTE_MS
_WAITING = ("pending", "held")
_NOTHING: dict[str, Any] = {
    "sex": "unknown",
    "birth_year": 0,
    "patient_msisdn": None,
    "outcome": None,
    "decided_at": None,
}


def find_for_withdrawal(tx: Connection, *, code: str, msisdn: str) -> dict[str, Any]:
    """Whether a code has something to take back: `{"state": "known"|"unknown"|"locked"|"withdrawn"}`."""
    found = find(tx, code, msisdn)
    return {"state": found if isinstance(found, str) else "known"}


def withdraw_consent(tx: Connection, *, code: str, msisdn: str, by: str, channel: str) -> dict[str, Any]:
    """Takes the consent of a screening back: `{"state": "done"|"unknown"|"locked"|"withdrawn"}`. `by` is "patient" or
    "worker".

    From the end of this transaction no result can be read, no photograph is graded and no message goes out.
    """
    found = find(tx, code, msisdn)
    if isinstance(found, str):
        return {"state": found}
    withdraw_screening(tx, found.id, by=by, channel=channel)
    return {"state": "done"}


def withdraw_screening(tx: Connection, screening_id: int, *, by: str, channel: str) -> None:
    """The same for a screening that is known: `by` may also be "operator", at the person's request."""
    tx.execute(
        consent.update()
        .where(consent.c.screening_id == screening_id, consent.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now_ms(), withdrawn_by=by, withdrawn_channel=channel, msisdn=None)
    )
    tx.execute(screening.update().where(screening.c.id == screening_id).values(_NOTHING | {"state": "withdrawn"}))
    _stop_messages(tx, screening_id)
    _stop_photographs(tx, screening_id)
    record_withdrawn(tx, screening_id)
    erase = {"screening_id": screening_id}
    enqueue(tx, DELIVERY, "erase_screening", erase | {"final": False}, key=f"erase:{screening_id}")
    # Once more when no job and no session can be under way that knew of it before.
    later = now_ms() + HOUR_MS
    key = f"erase:{screening_id}:final"
    enqueue(tx, DELIVERY, "erase_screening", erase | {"final": True}, key=key, not_before=later)


def erase_screening(site: Runtime, argument: Mapping[str, Any]) -> None:
    """The job: erases what the screening `argument["screening_id"]` left in the store and on disk. Until it is `final`
    the names of its files are kept, to look for them again, and what is being said is left to be said.

    Raises OSError when the disk refuses: what is still named in the store is erased at the next attempt.
    """
    screening_id = int(argument["screening_id"])
    with site.db.read() as tx:
        case = tx.execute(sa.select(screening).where(screening.c.id == screening_id)).first()
        if case is None or case.state != "withdrawn":
            return
        of_case = photo.c.screening_id == screening_id
        files = set(tx.execute(sa.select(photo.c.sha256).where(of_case)).scalars())
        files |= set(tx.execute(sa.select(reading.c.heatmap).where(reading.c.screening_id == screening_id)).scalars())
        # Stored once by what they contain: another patient's photograph, or one that is nobody's yet, may be the same.
        others = sa.or_(photo.c.screening_id != screening_id, photo.c.screening_id.is_(None))
        elsewhere = sa.select(photo.c.sha256).where(photo.c.sha256.in_(files - {None}), others)
        files -= {None, *tx.execute(elsewhere).scalars()}
        messages = tx.execute(sa.select(message.c.id).where(message.c.screening_id == screening_id)).scalars().all()
        photos = tx.execute(sa.select(photo.c.id).where(of_case)).scalars().all()
        # What was asked, answered and written about it, from whatever phone: year of birth, phone, outcome.
        before = now_ms() - (0 if argument["final"] else _SESSION_MS)
        said = mentions(tx, code_of(case), since=case.opened_at - DAY_MS, before=before)
    for sha256 in files:
        site.media.erase(sha256)
    for photo_id in photos:
        erase_file(site, photo_id)
    for message_id in messages:
        site.note_path(message_id).unlink(missing_ok=True)
    with site.db.write() as tx:
        _erase_rows(tx, screening_id)
        erase_mentions(tx, said)
        if argument["final"]:
            tx.execute(photo.update().where(of_case).values(sha256=None, expected_sha256="", locator="", eye=None))


def erase_risk(tx: Connection, *, msisdn: str) -> dict[str, Any]:
    """Erases the risk answers that a number gave of itself: `{"erased": how many}`."""
    return {"erased": tx.execute(risk_assessment.delete().where(risk_assessment.c.msisdn == msisdn)).rowcount}


def _stop_messages(tx: Connection, screening_id: int) -> None:
    of_case = message.c.screening_id == screening_id
    tx.execute(
        message.update()
        .where(of_case, message.c.state == DeliveryState.PENDING.value)
        .values(state=DeliveryState.FAILED.value, reason=ERASED, settled_at=now_ms())
    )


def _stop_photographs(tx: Connection, screening_id: int) -> None:
    photos = tx.execute(sa.select(photo.c.id).where(photo.c.screening_id == screening_id)).scalars().all()
    keys = [f"{task}:{photo_id}" for photo_id in photos for task in ("fetch", "read")]
    tx.execute(
        outbox.update()
        .where(outbox.c.dedupe_key.in_(keys), outbox.c.state.in_(_WAITING))
        .values(state="done", error=ERASED)
    )
    # "refused": no job fetches or reads such a photograph, not even one that has begun to.
    tx.execute(photo.update().where(photo.c.id.in_(photos)).values(state="refused", error=ERASED))


def _erase_rows(tx: Connection, screening_id: int) -> None:
    for table in (app_reading, reading, retake, referral, follow_up, review):
        tx.execute(table.delete().where(table.c.screening_id == screening_id))
    photos = sa.select(photo.c.inbound_id).where(photo.c.screening_id == screening_id)
    tx.execute(inbound.update().where(inbound.c.id.in_(photos)).values(text=NOTHING))
    nameless = sa.literal("erased:").concat(sa.cast(message.c.id, sa.Text))  # the old name may hold the outcome
    tx.execute(
        message.update()
        .where(message.c.screening_id == screening_id)
        .values(text=NOTHING, buttons=NOTHING, recipient="", dedupe_key=nameless)
    )
