"""What to answer to each event of a phone call."""

from __future__ import annotations

import logging
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from flows.render_voice import Utterance, VoiceStep
from flows.voice import voice_again, voice_turn, voice_unanswered
from services.calls.clips import ensure, forget, link
from services.channels.africastalking import NAME
from services.channels.base import DeliveryState, Kind, VoiceEvent
from services.channels.phone_numbers import NotAPhone, is_person, normalise
from services.channels.voice_xml import Dial, GetDigits, Play, Redirect, Reject, Say, Verb, render
from services.ledger.charges import call_ended
from services.messaging.outbox import deliver, post, ring
from services.messaging.unreached import given_up
from services.runtime import Runtime
from services.screening.people import caller_for, worker_id
from services.screening.referral import VISIT_CALL
from services.settings import Settings, current
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.tables import message, screening

_LOG = logging.getLogger(__name__)
_AGAIN, _UNANSWERED = "again", "unanswered"
_CALL_BACKS_AN_HOUR = 3
_WAITS = 30  # "one moment, please" takes some three seconds
_RUNG_AGAIN, _RINGS = ("result", "review", VISIT_CALL), 3
_RING_AGAIN_MS = 30 * MINUTE_MS


def answer_call(site: Runtime, event: VoiceEvent, *, step: str) -> str:
    """The XML for one voice callback. `step` is "again-3" when the carrier comes back the third time for audio that was
    not ready, and "unanswered" when nobody picked up whom the call was put through to."""
    step, _, number = step.partition("-")
    waits = int(number) if number.isascii() and number.isdigit() else 0
    incoming = event.direction == "inbound"
    person = event.caller if incoming or not event.destination else event.destination
    # On the calls that we place, carriers give the patient as `callerNumber` or as `destinationNumber`.
    if person == site.settings.at_voice_number:
        person = event.caller if person == event.destination else event.destination
    with site.db.write() as tx:
        if not event.active:
            call_ended(tx, event, NAME)
            _settle(tx, event, person)
            forget(tx, site.settings, site.clips_dir, call=event.session_id)
            return render([])
        if incoming and site.settings.voice_on_incoming == "call-back":
            _call_back(tx, site.settings, event, person)
            return render([Reject()])
        if event.dialled and (step != _UNANSWERED or event.dial_s or event.dial_status.casefold() == "completed"):
            # News of two people who talk, or who have: whatever is answered to it would be played in between them.
            return render([])
        said = voice_again(tx, event, person=person) if step in (_AGAIN, _UNANSWERED) else None
        if said is not None and said.dial and step == _UNANSWERED:
            told = _tell_who_was_rung(tx, said.dial, person, event.session_id)
            said = voice_unanswered(tx, event, person=person, told=told)
        said = said or voice_turn(tx, event, person=person)
        if not incoming:
            _adopt(tx, event, person)
        return render(_verbs(tx, site.settings, said, event.session_id, waits=waits))


def _verbs(tx: Connection, settings: Settings, said: VoiceStep, call: str, *, waits: int) -> list[Verb]:
    callback = f"{settings.base_url}/at/{settings.at_token.get_secret_value()}/voice"
    clips = ensure(tx, settings, said.language, said.prompts, pace=said.pace, call=call)
    if not clips.ready and waits >= _WAITS:
        # Nothing renders it, and the line costs by the second.
        return [_at_once(tx, settings, said.language, "voice-later", "Please try again later.")]
    if not clips.ready:
        heard = _at_once(tx, settings, said.language, "voice-wait", "One moment, please.")
        return [heard, Redirect(f"{callback}?step={_AGAIN}-{waits + 1}")]
    play = Play(link(settings, clips.keys))
    if said.dial:
        return [play, Dial(said.dial), Redirect(f"{callback}?step={_UNANSWERED}")]
    if said.ended:
        return [play]
    # After a silence the carrier goes on behind GetDigits: it comes back, and the flow counts the silence.
    return [GetDigits([play], callback, said.digits), Redirect(callback)]


def _at_once(tx: Connection, settings: Settings, language: str, message_id: str, english: str) -> Verb:
    """A sentence that cannot wait for its audio: the carrier's own voice, which knows English only, says it then."""
    clips = ensure(tx, settings, language, [Utterance(message_id)])
    return Play(link(settings, clips.keys)) if clips.ready else Say(english)


def _tell_who_was_rung(tx: Connection, number: str, person: str, call: str) -> bool:
    """Asks a health worker who did not pick up to ring back. False where nobody reads an SMS, or there is no number."""
    if worker_id(tx, number) is None or not is_person(person):
        return False
    language = caller_for(tx, number)["language"] or current().language
    words = text(language, "person-rang", phone=person)
    # With her screening, so that her number is erased with it.
    hers = sa.select(sa.func.max(screening.c.id)).where(screening.c.patient_msisdn == person)
    post(
        tx,
        Kind.SMS,
        number,
        words,
        key=f"unanswered:{call}",
        purpose="call-missed",
        language=language,
        screening_id=tx.execute(hers).scalar(),
    )
    return True


def _adopt(tx: Connection, event: VoiceEvent, person: str) -> None:
    """Joins a call to its message when the callback overtook the carrier's receipt."""
    known = tx.execute(sa.select(message.c.id).where(message.c.provider_id == event.session_id)).first()
    if known is None:
        tx.execute(_sending_call(person).values(provider_id=event.session_id))


def _settle(tx: Connection, event: VoiceEvent, person: str) -> None:
    """The end of a call: answered, or not; and what it cost. What nobody heard is rung again later, twice."""
    if event.direction != "inbound":
        _adopt(tx, event, person)
    row = tx.execute(sa.select(message).where(message.c.provider_id == event.session_id)).first()
    if row is None:
        return
    answered = (event.duration_s or 0) > 0
    values: dict[str, Any] = {
        "state": DeliveryState.DELIVERED if answered else DeliveryState.FAILED,
        "reason": event.hangup_cause[:200] or ("" if answered else "not answered"),
        "cost": event.cost[:50],
        "settled_at": now_ms(),
    }
    if not answered and row.purpose in _RUNG_AGAIN and row.attempts < _RINGS:
        values |= {"state": DeliveryState.PENDING, "provider_id": None}
        deliver(tx, row.id, attempt=row.attempts, not_before=now_ms() + _RING_AGAIN_MS)
    elif not answered:
        given_up(tx, row)
    tx.execute(message.update().where(message.c.id == row.id).values(values))


def _sending_call(person: str) -> Any:
    newest = (
        sa.select(sa.func.max(message.c.id))
        .where(
            message.c.recipient == person,
            message.c.kind == Kind.VOICE.value,
            message.c.provider_id.is_(None),
            message.c.state.in_([DeliveryState.SENDING.value, DeliveryState.UNKNOWN.value]),
        )
        .scalar_subquery()
    )
    return message.update().where(message.c.id == newest)


def _call_back(tx: Connection, settings: Settings, event: VoiceEvent, person: str) -> None:
    """Rings back whoever rang, which costs her nothing; within limits, since it costs the clinic."""
    try:
        number = normalise(person, region=settings.region)
    except NotAPhone:
        _LOG.info("no call back", extra={"reason": "not a mobile number of the region"})
        return
    refusal = _why_not(tx, settings, number)
    if refusal:
        _LOG.warning("no call back", extra={"reason": refusal})
        return
    ring(
        tx,
        number,
        key=f"call-back:{event.session_id}",
        purpose="call-back",
        language=caller_for(tx, number)["language"] or settings.language,
        useful_ms=10 * MINUTE_MS,
    )


def _why_not(tx: Connection, settings: Settings, number: str) -> str:
    """The limit that forbids one more call back, if one does."""
    now = now_ms()
    calls = sa.select(sa.func.count()).where(message.c.purpose == "call-back")
    of_hour = calls.where(message.c.recipient == number, message.c.created_at > now - HOUR_MS)
    if tx.execute(of_hour).scalar_one() >= _CALL_BACKS_AN_HOUR:
        return "this number's hour"
    if tx.execute(calls.where(message.c.created_at > now - DAY_MS)).scalar_one() >= settings.calls_a_day:
        return "calls a day"
    if settings.call_spending_a_day and spent_on_calls(tx, since=now - DAY_MS) >= settings.call_spending_a_day:
        return "spending a day"
    return ""


def spent_on_calls(tx: Connection, *, since: int) -> float:
    """What the calls cost that were placed since then, as far as the carrier has said: "KES 1.05" is 1.05."""
    costs = tx.execute(
        sa.select(message.c.cost).where(
            message.c.kind == Kind.VOICE.value, message.c.created_at > since, message.c.cost != ""
        )
    ).scalars()
    return sum(_amount(cost) for cost in costs)


def _amount(cost: str) -> float:
    found = re.search(r"[0-9]+(?:\.[0-9]+)?", cost)
    return float(found[0]) if found else 0.0
