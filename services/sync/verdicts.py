"""A reviewer's verdict comes from the hub: it is applied, and whoever has to know of it is told.

A patient is told only what changes something for her, by a call that she is offered (clinical rule 6); the health
worker always. Nothing is applied that knows less than the site does, and nobody is told anything without consent.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import messages
from services.screening.cases import OPEN_FOR_MS
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
from services.screening.people import can_be_written_to
from services.screening.referral import consents, destination, open_referral, was_seen, withdraw_referral
from services.screening.results import call_patient, eye_outcomes, tell_worker
from services.screening.retakes import settle_retake, wait_for_retake
from services.screening.reviews import verdicts_applied
from services.store.clock import now_ms
from services.store.tables import inbound, photo, reading, review, screening, sync_event
from services.sync.events import RESULT, record

_LOG = logging.getLogger(__name__)
PURPOSE = "review"
TOLD = "verdict-told"
_NOTES = "review-note-"
Told = Literal["called", "worker", "unchanged", "attended", "stale"]
"""How the patient learns of it: by a call, by her health worker, not again, not since a doctor has seen her, not since
the site knows something newer."""


class Eye(msgspec.Struct):
    """A reviewer's finding in one eye: ICDR grade, None if it could not be graded."""

    grade: int | None
    oedema: bool = False


class Verdict(msgspec.Struct):
    """What the hub sends: of which screening here, by which reviewer, of the result with which sequence number."""

    screening: int
    review: int
    seq: int
    reviewer: int
    outcome: Outcome
    eyes: dict[str, Eye]
    at: int
    note: str | None = None


@dataclass(frozen=True)
class Here:
    """Who gave a verdict at this site."""

    account: int
    role: Literal["nurse", "reviewer"]


def apply(tx: Connection, content: Mapping[str, Any]) -> None:
    """Applies one verdict, once. One that is unknown, nonsense or of a withdrawn screening is passed over."""
    try:
        verdict = msgspec.convert(content, Verdict)
        if not set(verdict.eyes) <= set(EYES):
            raise msgspec.ValidationError(f"eyes {sorted(verdict.eyes)}")
    except msgspec.ValidationError as problem:
        _LOG.error("a verdict that cannot be read", extra={"problem": str(problem)})
        return
    # Locked: a photograph may be read at this moment.
    case = tx.execute(
        sa.select(screening).where(screening.c.id == verdict.screening).with_for_update(key_share=True)
    ).first()
    if case is None or not consents(tx, case.id):
        _LOG.info("a verdict about nobody", extra={"screening": verdict.screening, "review": verdict.review})
        return
    if _is_known(tx, verdict):
        return
    told = settle(tx, case, verdict)
    if verdict.note is not None:
        _pass_on_note(tx, case, verdict)
    record(tx, TOLD, {"review": verdict.review, "patient": told}, screening_id=case.id)


def settle(tx: Connection, case: Any, verdict: Verdict, by: Here | None = None) -> Told:
    """Keeps a verdict on a screening, whose row is locked; applies it, and tells whom it changes something for. `by` is
    who gave it at this site; the hub's reviewers are not here."""
    told = _what_to_do(tx, case, verdict)
    first = not verdicts_applied(tx, case.id)
    _keep(tx, case, verdict, told, by)
    if told in ("called", "worker"):
        _change(tx, case, verdict)
        _tell_of_change(tx, case, verdict, told, by)
    elif told == "unchanged" and first and _is_specialist(by):
        _tell_worker(tx, case, "worker-reviewed-same", verdict)
    return told


def _is_known(tx: Connection, verdict: Verdict) -> bool:
    same = sa.select(review.c.id).where(
        review.c.screening_id == verdict.screening,
        review.c.review_ref == verdict.review,
        review.c.reviewed_at == verdict.at,
    )
    return tx.execute(same).first() is not None


def _what_to_do(tx: Connection, case: Any, verdict: Verdict) -> Told:
    if verdict.outcome == (case.outcome or "retake"):
        return "unchanged"
    if verdict.outcome != "refer":
        # Less cautious than what holds here: only if it rests on all that is known here.
        newer = sa.select(sync_event.c.seq).where(
            sync_event.c.screening_id == case.id, sync_event.c.kind == RESULT, sync_event.c.seq > verdict.seq
        )
        if tx.execute(newer.limit(1)).first() is not None:
            return "stale"
        if not _is_allowed(tx, case, verdict):
            _LOG.error("a verdict against the rules", extra={"review": verdict.review})
            return "stale"
        if was_seen(tx, case.id):
            return "attended"
    return "called" if can_be_written_to(tx, case.patient_msisdn) else "worker"


def _is_allowed(tx: Connection, case: Any, verdict: Verdict) -> bool:
    """Whether the rules conclude the same from what the reviewer saw and from the model's readings of the rest. The hub
    asks the same; it may be of another release."""
    if case.priority == "urgent":
        return False
    concluded = outcome_of_patient(_findings(tx, case, verdict), one_eye=case.outcome == "rescreen")
    return (concluded or "retake") == verdict.outcome


def _findings(tx: Connection, case: Any, verdict: Verdict) -> dict[str, list[Finding]]:
    judged = {eye: [finding_of_grade(each.grade, each.oedema)] for eye, each in verdict.eyes.items()}
    return eye_outcomes(tx, case.id) | judged


def _keep(tx: Connection, case: Any, verdict: Verdict, told: Told, by: Here | None) -> None:
    last = sa.select(sa.func.coalesce(sa.func.max(reading.c.id), 0)).where(reading.c.screening_id == case.id)
    tx.execute(
        review.insert().values(
            screening_id=case.id,
            review_ref=verdict.review,
            reviewer=verdict.reviewer,
            account_id=by.account if by else None,
            role=by.role if by else None,
            outcome_before=case.outcome,
            outcome=verdict.outcome,
            eyes=msgspec.to_builtins(verdict.eyes),
            note=verdict.note,
            told=told,
            applied=told not in ("attended", "stale"),
            last_reading=tx.execute(last).scalar_one(),
            reviewed_at=verdict.at,
            applied_at=now_ms(),
        )
    )


def _change(tx: Connection, case: Any, verdict: Verdict) -> None:
    """Does for the new outcome what is done when photographs conclude it, and takes back what was done for the old."""
    decided_at = case.decided_at or now_ms()
    decided: dict[str, Any] = {"state": "decided", "outcome": verdict.outcome, "decided_at": decided_at}
    settle_retake(tx, case.id)
    if verdict.outcome == "refer":
        open_referral(tx, case.id, case.priority)
        no_longer_due(tx, case.id, "referred")
    elif verdict.outcome == "rescreen":
        withdraw_referral(tx, case.id)
        due_in_a_year(tx, case.id)
    else:
        withdraw_referral(tx, case.id)
        no_longer_due(tx, case.id, "retake")
        # Undecided again: new photographs decide, or their absence, which refers.
        decided = {"state": "open", "outcome": None, "decided_at": None}
        for taken in _to_take(tx, case, verdict):
            wait_for_retake(tx, taken, "quality-missing" if taken.missing else "quality-unclear")
    tx.execute(screening.update().where(screening.c.id == case.id).values(decided))


def _tell_of_change(tx: Connection, case: Any, verdict: Verdict, told: Told, by: Here | None) -> None:
    looked = "worker-reviewed" if _is_specialist(by) else "worker-rechecked"
    if verdict.outcome != "retake":
        _tell_worker(tx, case, f"{looked}-{verdict.outcome}", verdict, place=destination(tx, case.id).place)
    elif case.opened_at < now_ms() - OPEN_FOR_MS:
        _tell_worker(tx, case, f"{looked}-anew", verdict)
    else:
        for taken in _to_take(tx, case, verdict):
            message_id = f"{looked}-other" if taken.missing else f"{looked}-retake"
            _tell_worker(tx, case, message_id, verdict, part=f":{taken.eye}", eye=f"eye-{taken.eye}")
    if told == "worker":
        _tell_worker(tx, case, "worker-reviewed-tell", verdict, part=":tell")
    else:
        call_patient(tx, case, "patient-news", key=f"{_key(case, verdict)}:patient", purpose=PURPOSE)


def _is_specialist(by: Here | None) -> bool:
    """Whether words may say that a specialist looked: a nurse may have."""
    return by is None or by.role == "reviewer"


def _pass_on_note(tx: Connection, case: Any, verdict: Verdict) -> None:
    note = verdict.note or ""
    if not note.startswith(_NOTES) or note not in messages("en"):
        _LOG.warning("a note of a later release", extra={"note": note[:40]})
        return
    _tell_worker(tx, case, note, verdict, part=":note")


def _tell_worker(
    tx: Connection, case: Any, message_id: str, verdict: Verdict, *, part: str = "", **params: object
) -> None:
    """To whoever took the last photograph."""
    last = _photographs(tx, case.id)
    if last:
        key = f"{_key(case, verdict)}:worker{part}"
        tell_worker(tx, last[0], message_id, key=key, purpose=PURPOSE, code=code_of(case), **params)


@dataclass(frozen=True)
class _Eye:
    """An eye to photograph, after the photograph with this `id`: its last, or the other eye's if it has none."""

    id: int
    screening_id: int
    eye: str
    missing: bool


def _to_take(tx: Connection, case: Any, verdict: Verdict) -> list[_Eye]:
    """The eyes that nobody could grade, or that were never photographed."""
    taken = _photographs(tx, case.id)
    found = []
    for eye, findings in _findings(tx, case, verdict).items():
        if outcome_of_eye(findings) in (None, "retake"):
            last = next((row for row in taken if row.eye == eye), None)
            after = last or (taken[0] if taken else None)
            if after is not None:
                found.append(_Eye(after.id, case.id, eye, missing=last is None))
    return found


def _photographs(tx: Connection, screening_id: int) -> list[Any]:
    """Newest first, each with the kind of message that brought it."""
    rows = (
        sa.select(photo, inbound.c.kind)
        .join(inbound, inbound.c.id == photo.c.inbound_id)
        .where(photo.c.screening_id == screening_id)
        .order_by(photo.c.id.desc())
    )
    return list(tx.execute(rows))


def _key(case: Any, verdict: Verdict) -> str:
    return f"review:{case.id}:{verdict.review}:{verdict.at}"
