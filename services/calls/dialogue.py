"""What to answer to each event of a phone call."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from flows.render_voice import VoiceStep
from flows.voice import voice_again, voice_turn
from services.calls.clips import ensure, link
from services.channels.base import DeliveryState, Kind, VoiceEvent
from services.channels.phone_numbers import NotAPhone, normalise
from services.channels.voice_xml import GetDigits, Play, Redirect, Reject, Say, Verb, render
from services.messaging.outbox import deliver, ring
from services.runtime import Runtime
from services.screening.people import caller_for
from services.settings import Settings
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.tables import message

_LOG = logging.getLogger(__name__)
_AGAIN = "again"
_CALL_BACKS_AN_HOUR = 3
_CALLS_A_DAY = 500
_RINGS = 3
_RING_AGAIN_MS = 30 * MINUTE_MS


def answer_call(site: Runtime, event: VoiceEvent, *, step: str) -> str:
    """The XML for one voice callback. `step` is "again" when the carrier comes back for audio that was not ready."""
    incoming = event.direction == "inbound"
    person = event.caller if incoming or not event.destination else event.destination
    # On the calls that we place, carriers give the patient as `callerNumber` or as `destinationNumber`.
    if person == site.settings.at_voice_number:
        person = event.caller if person == event.destination else event.destination
    with site.db.write() as tx:
        if not event.active:
            _settle(tx, event, person)
            return render([])
        if incoming and site.settings.voice_on_incoming == "call-back":
            _call_back(tx, site.settings, event, person)
            return render([Reject()])
        said = voice_again(tx, event, person=person) if step == _AGAIN else None
        said = said or voice_turn(tx, event, person=person)
        if not incoming:
            _adopt(tx, event, person)
        return render(_verbs(tx, site.settings, said))


def _verbs(tx: Connection, settings: Settings, said: VoiceStep) -> list[Verb]:
    callback = f"{settings.base_url}/at/{settings.at_token.get_secret_value()}/voice"
    if not ensure(tx, said.language, said.prompts):
        wait = text(said.language, "voice-wait")
        heard: list[Verb] = [Play(link(settings, said.language, wait))]
        if not ensure(tx, said.language, [(wait, False)]):
            heard = [Say("One moment, please.")]
        return [*heard, Redirect(f"{callback}?step={_AGAIN}")]
    plays = [Play(link(settings, said.language, words)) for words, _private in said.prompts]
    if said.ended:
        return list(plays)
    # After a silence the carrier goes on behind GetDigits: it comes back, and the flow counts the silence.
    return [GetDigits(plays, callback, said.digits), Redirect(callback)]


def _adopt(tx: Connection, event: VoiceEvent, person: str) -> None:
    """Joins a call to its message when the callback overtook the carrier's receipt."""
    known = tx.execute(sa.select(message.c.id).where(message.c.provider_id == event.session_id)).first()
    if known is None:
        tx.execute(_sending_call(person).values(provider_id=event.session_id))


def _settle(tx: Connection, event: VoiceEvent, person: str) -> None:
    """The end of a call: answered, or not; and what it cost. A result that nobody heard is rung again later, twice."""
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
    if not answered and row.purpose == "result" and row.attempts < _RINGS:
        values |= {"state": DeliveryState.PENDING, "provider_id": None}
        deliver(tx, row.id, attempt=row.attempts, not_before=now_ms() + _RING_AGAIN_MS)
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
    now = now_ms()
    calls = sa.select(sa.func.count()).where(message.c.purpose == "call-back")
    recent = tx.execute(calls.where(message.c.recipient == number, message.c.created_at > now - HOUR_MS)).scalar_one()
    today = tx.execute(calls.where(message.c.created_at > now - DAY_MS)).scalar_one()
    if recent >= _CALL_BACKS_AN_HOUR or today >= _CALLS_A_DAY:
        _LOG.warning("no call back", extra={"reason": "limit", "today": today})
        return
    ring(
        tx,
        number,
        key=f"call-back:{event.session_id}",
        purpose="call-back",
        language=caller_for(tx, number)["language"] or settings.language,
        useful_ms=10 * MINUTE_MS,
    )
