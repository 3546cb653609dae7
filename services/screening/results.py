"""Who is told what. The worker gets the full result; a patient's SMS says nothing clinical, since phones are shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from services.channels.base import Kind
from services.messaging.outbox import post, ring
from services.screening.codes import code_of
from services.screening.decision import (
    EYES,
    Finding,
    Outcome,
    finding_of_grade,
    outcome_of_eye,
    outcome_of_patient,
)
from services.screening.follow_up import due_in_a_year, no_longer_due
from services.screening.people import caller_for
from services.screening.referral import destination, open_referral
from services.screening.retakes import settle_retake, wait_for_retake
from services.screening.reviews import verdict_that_holds, verdicts_applied
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.phones import number_of
from services.store.tables import app_reading, app_screening, reading, screening
from services.sync.events import record_result


def tell_worker(
    tx: Connection, photo: Any, message_id: str, *, key: str, purpose: str = "result-worker", **params: object
) -> None:
    """One message to whoever sent a photograph, on the channel it came by and by SMS."""
    sender = number_of(tx, photo.sender)
    if sender is None:
        return  # forgotten
    language = caller_for(tx, sender)["language"] or current().language
    words = text(language, message_id, **params)
    common = {"purpose": purpose, "language": language, "screening_id": photo.screening_id}
    if sender.startswith("+"):
        post(tx, Kind.SMS, sender, words, key=f"{key}:sms", **common)
    if photo.kind == Kind.WHATSAPP:
        # Free inside the 24 hours that the photograph opened, and where the worker is looking.
        post(tx, Kind.WHATSAPP, sender, words, key=f"{key}:whatsapp", **common)


def settle(tx: Connection, photo: Any, *, reason: str) -> None:
    """After a new reading: tells the worker about this eye and what to do next, and the patient once it is decided."""
    # Locked: two eyes read at the same moment by two workers must not each think that the other is missing.
    case = tx.execute(
        sa.select(screening).where(screening.c.id == photo.screening_id).with_for_update(key_share=True)
    ).one()
    eyes = eye_outcomes(tx, case.id)
    this_eye = outcome_of_eye(eyes[photo.eye])
    assert this_eye is not None, "settle follows a reading of this eye"
    outcome = outcome_of_patient(eyes, one_eye=_has_one_eye(tx, case.id), urgent=case.priority == "urgent")
    other = EYES[1 - EYES.index(photo.eye)]
    doubtful = eyes[photo.eye][-1] == "doubtful"
    if this_eye == "retake":
        wait_for_retake(tx, photo, "quality-uncertain" if doubtful else reason)
    else:
        settle_retake(tx, case.id, photo.eye)
    if this_eye == "refer":
        message_id = _why_refer(eyes[photo.eye], _signs(tx, case.id, photo.eye))
    elif this_eye == "retake":
        message_id = "worker-retake-unclear" if doubtful else "worker-retake"
    elif outcome is None:
        message_id = "worker-normal-send-other" if outcome_of_eye(eyes[other]) is None else "worker-normal-retake-other"
    elif outcome == "refer":
        message_id = "worker-normal-refer" if outcome_of_eye(eyes[other]) == "refer" else "worker-normal-urgent"
    else:
        message_id = "worker-normal-done"
    if not _was_seen(tx, photo.id):
        tell_worker(
            tx,
            photo,
            message_id,
            key=f"read:{photo.id}",
            code=code_of(case),
            eye=f"eye-{photo.eye}",
            other=f"eye-{other}",
            reason=reason,
            place=destination(tx, case.id).place,
        )
    if outcome is not None:
        announce(tx, case.id, outcome)
    if case.outcome is not None:
        record_result(tx, case.id)  # decided before this photograph, of which the hub shall know as well


def announce(tx: Connection, screening_id: int, outcome: Outcome) -> None:
    """Decides a screening, opens its referral or what is due in a year, and tells the patient; once for each outcome: a
    later referable eye tells her again."""
    case = tx.execute(sa.select(screening).where(screening.c.id == screening_id).with_for_update(key_share=True)).one()
    if case.outcome in (outcome, "refer"):
        return
    tx.execute(
        screening.update()
        .where(screening.c.id == screening_id)
        .values(state="decided", outcome=outcome, decided_at=now_ms())
    )
    if outcome == "refer":
        open_referral(tx, screening_id, case.priority)
        no_longer_due(tx, screening_id, "referred")
    else:
        due_in_a_year(tx, screening_id)
    record_result(tx, screening_id)
    verdicts = verdicts_applied(tx, screening_id)
    # Told before a reviewer took it back: the same once more.
    again = f":{verdicts}" if verdicts else ""
    call_patient(tx, case, "patient-ready", key=f"patient:{screening_id}:{outcome}{again}", purpose="result")


def call_patient(tx: Connection, case: Any, message_id: str, *, key: str, purpose: str) -> None:
    """Offers a patient a call and rings her; nothing of what there is to hear is written."""
    if case.patient_msisdn is None:
        return
    settings = current()
    language = caller_for(tx, case.patient_msisdn)["language"] or case.language
    words = text(language, message_id, clinic=settings.clinic, ussd=settings.ussd_code)
    common = {"language": language, "screening_id": case.id, "purpose": purpose}
    post(tx, Kind.SMS, case.patient_msisdn, words, key=f"{key}:sms", **common)
    ring(tx, case.patient_msisdn, key=f"{key}:call", useful_ms=DAY_MS, **common)


def eye_outcomes(tx: Connection, screening_id: int) -> dict[str, list[Finding]]:
    """What each eye's photographs said, oldest first. What a reviewer found in an eye stands in the place of what the
    model made of the same photographs."""
    rows = tx.execute(
        sa.select(reading.c.id, reading.c.eye, reading.c.outcome, reading.c.gradable)
        .where(reading.c.screening_id == screening_id)
        .order_by(reading.c.id)
    )
    held = verdict_that_holds(tx, screening_id)
    judged = {} if held is None else held.eyes
    eyes: dict[str, list[Finding]] = {
        eye: [finding_of_grade(judged[eye]["grade"], judged[eye]["oedema"])] if eye in judged else [] for eye in EYES
    }
    for number, eye, outcome, gradable in rows:
        if eye not in judged or number > held.last_reading:
            eyes[eye].append("doubtful" if outcome == "retake" and gradable else outcome)
    return eyes


def _has_one_eye(tx: Connection, screening_id: int) -> bool:
    """Whether the web app said so when it handed a screening over."""
    said = sa.select(app_screening.c.one_eye).where(app_screening.c.screening_id == screening_id)
    return bool(tx.execute(said).scalar())


def _was_seen(tx: Connection, photo_id: int) -> bool:
    """Whether the worker saw on her own screen what was read here: an SMS that says so again costs and says nothing."""
    seen, outcome, gradable = tx.execute(
        sa.select(app_reading.c.content, reading.c.outcome, reading.c.gradable)
        .select_from(reading.outerjoin(app_reading, app_reading.c.photo_id == reading.c.photo_id))
        .where(reading.c.photo_id == photo_id)
    ).one()
    return bool(seen) and (seen.get("outcome"), seen.get("quality", {}).get("gradable")) == (outcome, gradable)


def _signs(tx: Connection, screening_id: int, eye: str) -> set[str]:
    """What the photographs of one eye showed."""
    rows = tx.execute(sa.select(reading.c.signs).where(reading.c.screening_id == screening_id, reading.c.eye == eye))
    return {sign for (signs,) in rows for sign in signs}


def _why_refer(findings: Sequence[Finding], signs: set[str]) -> str:
    """The message for an eye that is referred, by the weightiest reason."""
    if "refer" not in findings:
        return "worker-refer-unclear" if "doubtful" in findings else "worker-refer-ungradable"
    return "worker-refer-oedema" if signs == {"oedema"} else "worker-refer"
