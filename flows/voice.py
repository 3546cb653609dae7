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
from services.store.tables import message

_UNHEARD = 2


def voice_turn(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep:
    """What to say to `person` now. A new call starts with the result behind a code.

    Whoever presses no key, or none that fits, hears the question again, twice, and then a goodbye: an open line costs
    by the second.
    """
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id:
        talk = begin(tx, person, Kind.VOICE, event.session_id, "result")
        if talk.caller.language is None:
            talk.caller = replace(talk.caller, language=_language_of_call(tx, person))
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


def _language_of_call(tx: Connection, person: str) -> str | None:
    """The language of the newest call to this number: a patient who never dialled chose it with her health worker."""
    language: str | None = tx.execute(
        sa.select(message.c.language)
        .where(message.c.recipient == person, message.c.kind == Kind.VOICE.value)
        .order_by(message.c.id.desc())
        .limit(1)
    ).scalar()
    return language


def voice_again(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep | None:
    """What was said last in this call, to say it now that its audio is ready. None for a call nobody knows."""
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id or not talk.said:
        return None
    return VoiceStep.from_json(json.loads(talk.said))
