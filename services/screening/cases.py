"""The life of a screening: opened, photographed, decided, told. Every function runs in its caller's transaction and
answers with plain JSON, since conversations keep the answers in their journal.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import Kind
from services.messaging.outbox import DELIVERY, INFERENCE, NOTE, SPEECH, enqueue, post, ring
from services.programmes import FIRST
from services.screening import codes, people
from services.screening.decision import outcome_of_patient
from services.screening.referral import SETTLED, destination
from services.screening.results import announce, eye_outcomes
from services.screening.reviews import has_to_come_again, verdict_that_holds
from services.store import audit
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.database import insert_once
from services.store.phones import remember
from services.store.tables import consent, follow_up, message, photo, referral, screening

OPEN_FOR_MS = 30 * DAY_MS
"""How long photographs are taken for a screening."""

_CALLS_A_DAY = 3
_CODE_TRIES = 50


class NoFreeCode(Exception):
    """Fifty random codes in a row were taken: there are too many open screenings for six digits."""


def open_screening(
    tx: Connection,
    *,
    worker: str,
    sex: str,
    birth_year: int,
    phone: str | None,
    language: str,
    consent_version: str,
    channel: str,
    priority: str = "routine",
    programme: str = FIRST,
) -> dict[str, Any]:
    """Opens a screening for a patient who consented, and answers `{"code": …}`, None if `worker`, the number of the
    health worker, was removed meanwhile. `language` is the patient's; consent was read in the worker's. `priority` is
    "routine" or "urgent".
    """
    worker_id = people.worker_id(tx, worker)
    if worker_id is None:
        return {"code": None}
    row = {
        "programme": programme,
        "worker_id": worker_id,
        "sex": sex,
        "birth_year": birth_year,
        "patient_msisdn": remember(tx, phone) if phone else None,
        "language": language,
        "state": "open",
        "priority": priority,
        "opened_at": now_ms(),
    }
    for _ in range(_CODE_TRIES):
        code = codes.new_code()
        named = {"code": code, "code_sealed": codes.sealed(code)}
        screening_id = insert_once(tx, screening, row | named, key=("code",))
        if screening_id is not None:
            break
    else:
        raise NoFreeCode
    tx.execute(
        consent.insert().values(
            screening_id=screening_id,
            version=consent_version,
            language=people.caller_for(tx, worker)["language"] or language,
            msisdn=phone,
            channel=channel,
            given_at=now_ms(),
        )
    )
    return {"code": code}


def result_for(tx: Connection, *, code: str, msisdn: str) -> dict[str, Any]:
    """The result behind a code: `{"state": "unknown"|"locked"|"waiting"|"ready", "outcome"}`, and where to go with it:
    `{"reviewed", "place", "opening", "urgent"}`.

    Wrong codes are counted for each number, and too many lock it.
    """
    found = find(tx, code, msisdn)
    if isinstance(found, str):
        return {"state": found, "outcome": None}
    if not found.outcome and not has_to_come_again(tx, found.id):
        return {"state": "waiting", "outcome": None}
    if people.worker_id(tx, msisdn) is not None:
        audit.record(tx, audit.by_phone(msisdn), "result-told", f"screening:{found.id}")
    return {"state": "ready", **told(tx, found)}


def told(tx: Connection, case: Any) -> dict[str, Any]:
    """What is said of a decided screening, or of one to be photographed again, by its row: `{"outcome", "reviewed",
    "place", "opening", "urgent"}`. `reviewed`: a specialist says so."""
    where, held = destination(tx, case.id), verdict_that_holds(tx, case.id)
    return {
        "outcome": case.outcome or "retake",
        "reviewed": held is not None and held.role != "nurse" and held.outcome == (case.outcome or "retake"),
        "place": where.place,
        "opening": list(where.opening),
        "urgent": case.priority == "urgent",
    }


def visit_for(tx: Connection, *, code: str, msisdn: str) -> dict[str, Any]:
    """What visit is waited for behind a code: `{"state": "referral"|"follow-up"|"none"|"unknown"|"locked", "id"}`."""
    found = find(tx, code, msisdn)
    if isinstance(found, str):
        return {"state": found, "id": None}
    referred = tx.execute(sa.select(referral).where(referral.c.screening_id == found.id)).first()
    if referred is not None:
        if referred.state not in SETTLED:
            return {"state": "referral", "id": referred.id}
        if referred.state != "withdrawn":
            return {"state": "none", "id": referred.id}
    invited = tx.execute(
        sa.select(follow_up.c.id).where(
            follow_up.c.screening_id == found.id, follow_up.c.state.in_(("invited", "unreached"))
        )
    ).scalar()
    return {"state": "none" if invited is None else "follow-up", "id": invited}


def request_call(tx: Connection, *, code: str, msisdn: str) -> dict[str, Any]:
    """Asks for the result to be read out to the number that asks: `{"state": "calling"|"waiting"|"limit"|…}`."""
    found = _may_be_read_out(tx, code, msisdn, "call-asked")
    if isinstance(found, str):
        return {"state": found}
    language = people.caller_for(tx, msisdn)["language"] or found.language
    ring(
        tx,
        msisdn,
        key=f"call-asked:{found.id}:{now_ms()}",
        purpose="call-asked",
        language=language,
        useful_ms=HOUR_MS,
        screening_id=found.id,
    )
    return {"state": "calling"}


def request_note(tx: Connection, *, code: str, msisdn: str) -> dict[str, Any]:
    """Asks for the result as a voice note on WhatsApp: `{"state": "sending"|"waiting"|"limit"|…}`. Nothing of it is
    written; who asks has the code, and was told that the note stays in the chat."""
    found = _may_be_read_out(tx, code, msisdn, NOTE)
    if isinstance(found, str):
        return {"state": found}
    note_id = post(
        tx,
        Kind.WHATSAPP,
        msisdn,
        "",
        key=f"{NOTE}:{found.id}:{now_ms()}",
        purpose=NOTE,
        language=people.caller_for(tx, msisdn)["language"] or found.language,
        useful_ms=HOUR_MS,
        screening_id=found.id,
        prepare=True,
    )
    if note_id is not None:
        enqueue(tx, SPEECH, "prepare_note", {"message_id": note_id}, key=f"prepare:{note_id}")
    return {"state": "sending"}


def _may_be_read_out(tx: Connection, code: str, msisdn: str, purpose: str) -> Any:
    """The decided screening behind a code, or why it is not read out (again today)."""
    found = find(tx, code, msisdn)
    if isinstance(found, str):
        return found
    if not found.outcome and not has_to_come_again(tx, found.id):
        return "waiting"
    since = now_ms() - DAY_MS
    asked = tx.execute(
        sa.select(sa.func.count()).where(
            message.c.screening_id == found.id, message.c.purpose == purpose, message.c.created_at > since
        )
    ).scalar_one()
    return "limit" if asked >= _CALLS_A_DAY else found


def attach_photo(tx: Connection, *, photo_id: int, code: str, eye: str, sender: str) -> dict[str, Any]:
    """Says whose eye a photograph shows: `{"state": "queued"|"unknown"|"locked"|"closed"|"taken"}`."""
    found = find(tx, code, sender)
    if isinstance(found, str):
        return {"state": found}
    if found.opened_at < now_ms() - OPEN_FOR_MS:
        return {"state": "closed"}
    changed = tx.execute(
        photo.update()
        .where(photo.c.id == photo_id, photo.c.sender == sender, photo.c.screening_id.is_(None))
        .values(screening_id=found.id, eye=eye, state="attached")
    )
    if not changed.rowcount:
        return {"state": "taken"}
    read_when_complete(tx, photo_id)
    return {"state": "queued"}


def read_when_complete(tx: Connection, photo_id: int) -> None:
    """Asks for what a photograph still lacks: its bytes, or, once it is here and attached, its reading."""
    row = tx.execute(
        sa.select(photo.c.sha256, photo.c.state, screening.c.priority)
        .outerjoin(screening, screening.c.id == photo.c.screening_id)
        .where(photo.c.id == photo_id)
    ).one()
    if row.sha256 is None:
        enqueue(tx, DELIVERY, "fetch_photo", {"photo_id": photo_id}, key=f"fetch:{photo_id}")
    elif row.state == "attached":
        task = "read_urgent_photo" if row.priority == "urgent" else "read_photo"
        enqueue(tx, INFERENCE, task, {"photo_id": photo_id}, key=f"read:{photo_id}")


def finish_with_one_eye(tx: Connection, *, code: str, worker: str) -> dict[str, Any]:
    """The worker says that only one eye can be seen: `{"state": "done"|"waiting"|"unknown"|"locked"}`."""
    found = find(tx, code, worker)
    if isinstance(found, str):
        return {"state": found}
    if found.outcome:
        return {"state": "done"}
    outcome = outcome_of_patient(eye_outcomes(tx, found.id), one_eye=True, urgent=found.priority == "urgent")
    if outcome is None:
        return {"state": "waiting"}
    announce(tx, found.id, outcome)
    return {"state": "done"}


def find(tx: Connection, code: str, msisdn: str) -> Any:
    """The screening behind a code, or why there is none: "unknown", "locked", "withdrawn". Wrong codes are counted."""
    if people.is_locked(tx, msisdn):
        return "locked"
    row = tx.execute(sa.select(screening).where(screening.c.code == (codes.clean(code) or ""))).first()
    if row is None:
        people.count_wrong_code(tx, msisdn)
        return "unknown"
    people.forgive_wrong_codes(tx, msisdn)
    return "withdrawn" if row.state == "withdrawn" else row
