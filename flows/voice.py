"""A turn of a phone call: keys come in, sentences and the next keys to wait for go out."""

from __future__ import annotations

import json
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.conversation import Step, Tell
from flows.render_voice import VoiceStep, voice
from flows.sessions import begin, latest, save
from services.channels.base import Kind, VoiceEvent
from services.screening.risk import RISK_CALL
from services.store.tables import message

_UNHEARD = 2


def voice_turn(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep:
    """What to say to `person` now. A call that we placed starts with what it is for: the result behind a code, or the
    answer to the risk questions. Who rang the clinic is asked.

    Whoever presses no key, or none that fits, hears the question again, twice, and then a goodbye: an open line costs
    by the second.
    """
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id:
        call = _our_call(tx, event, person)
        talk = begin(tx, person, Kind.VOICE, event.session_id, _subject(event, call[0] if call else ""))
        if talk.caller.language is None and call is not None:
            # A patient who never dialled chose her language with her health worker.
            talk.caller = replace(talk.caller, language=call[1])
        step = talk.step(tx)
    elif talk.state == "ended":
        return VoiceStep.from_json(json.loads(talk.said))
    else:
        step = talk.step(tx, event.digits or None)
        talk.counter = 0 if event.digits and step.error is None else talk.counter + 1
        if talk.counter > _UNHEARD:
            step = Step(step.language, [Tell("goodbye")])
    said = voice(step)
    talk.state, talk.said = "ended" if said.ended else "active", json.dumps(said.to_json())
    save(tx, talk)
    return said


def _our_call(tx: Connection, event: VoiceEvent, person: str) -> tuple[str, str] | None:
    """Purpose and language of the call that we placed: the one with this session, or, before its receipt came, the
    newest to this number."""
    row = tx.execute(
        sa.select(message.c.purpose, message.c.language)
        .where(message.c.recipient == person, message.c.kind == Kind.VOICE.value)
        .order_by(sa.case((message.c.provider_id == event.session_id, 0), else_=1), message.c.id.desc())
        .limit(1)
    ).first()
    return (row.purpose, row.language) if row else None


def _subject(event: VoiceEvent, purpose: str) -> str:
    if event.direction == "inbound" or purpose == "call-back":
        return "call-menu"
    return "risk-answer" if purpose == RISK_CALL else "result"


def voice_again(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep | None:
    """What was said last in this call, to say it now that its audio is ready. None for a call nobody knows."""
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id or not talk.said:
        return None
    return VoiceStep.from_json(json.loads(talk.said))
