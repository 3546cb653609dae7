"""A turn of a phone call: keys come in, sentences and the next keys to wait for go out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.conversation import Step, Tell
from flows.menu import LANGUAGES_OFFERED
from flows.questions import Choice, Invalid
from flows.render_voice import Utterance, VoiceStep, voice
from flows.sessions import Conversation, begin, latest, offer, resume, resume_step, save, unfinished
from services.channels.base import Kind, VoiceEvent
from services.screening.people import set_language
from services.screening.referral import VISIT_CALL, asked_by_call
from services.screening.risk import RISK_CALL
from services.store.tables import message

_UNHEARD = 2
_DETOURS, _TURNS = 8, 60  # a line costs by the second, and keys can be pressed for ever
_OPTIONS = "0"
KEYS, A_PAGE = 9, 8  # choices that have a key of their own; on a page, beside the key for more


def voice_turn(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep:
    """What to say to `person` now. A call that we placed starts with what it is for: the result behind a code, the
    answer to the risk questions, or a visit. Who rang the clinic is asked, first whether to go on with what she left
    unfinished.

    At any question 0 leads aside: again, slower, another language, a health worker. Whoever presses no key, or none
    that fits, hears the question again, twice, and then a goodbye: an open line costs by the second.
    """
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id:
        talk, step = _pick_up(tx, event, person)
    elif talk.state in ("ended", "moved"):
        said = VoiceStep.from_json(json.loads(talk.said))
        if said.ended and not said.dial:
            return said
        # Nothing is asked of a line whose conversation is over, and nobody is put through twice.
        step = Step(said.language, [Tell("goodbye")])
    else:
        talk, step = _take(tx, talk, event.digits)
        talk.counter = 0 if event.digits and step.error is None else talk.counter + 1
        talk.notes["turns"] = talk.notes.get("turns", 0) + 1
        if talk.counter > _UNHEARD or talk.notes.get("detours", 0) > _DETOURS or talk.notes["turns"] > _TURNS:
            step = Step(step.language, [Tell("goodbye")])
    said = replace(voice(_one_key(step, talk)), pace=talk.notes.get("pace", "normal"), dial=step.connect)
    if not said.ended and (not event.digits or step.error is not None):
        said = replace(said, prompts=(*said.prompts, Utterance("voice-zero")))
    if said.ended:
        talk.state = "ended"
    talk.said = json.dumps(said.to_json())
    save(tx, talk)
    return said


def voice_again(tx: Connection, event: VoiceEvent, *, person: str) -> VoiceStep | None:
    """What was said last in this call, to say it now that its audio is ready. None for a call nobody knows."""
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id or not talk.said:
        return None
    return VoiceStep.from_json(json.loads(talk.said))


def voice_unanswered(tx: Connection, event: VoiceEvent, *, person: str, told: bool) -> VoiceStep | None:
    """What to say when nobody picked up whom the call was put through to, `told` of it or not. None for a call nobody
    knows."""
    talk = latest(tx, person, Kind.VOICE)
    if talk is None or talk.session_id != event.session_id or not talk.said:
        return None
    said = VoiceStep.from_json(json.loads(talk.said))
    said = replace(said, prompts=(Utterance("unanswered-told" if told else "unanswered"),), dial="")
    talk.said = json.dumps(said.to_json())
    save(tx, talk)
    return said


def _pick_up(tx: Connection, event: VoiceEvent, person: str) -> tuple[Conversation, Step]:
    call = _our_call(tx, event, person)
    subject, arguments = _subject(tx, event, call)
    left = unfinished(tx, person) if subject == "call-menu" else None
    if left is not None:
        talk = offer(tx, left, Kind.VOICE, event.session_id)
        return talk, resume_step(talk)
    talk = begin(tx, person, Kind.VOICE, event.session_id, subject, **arguments)
    if talk.caller.language is None and call is not None:
        # A patient who never dialled chose her language with her health worker.
        talk.caller = replace(talk.caller, language=call.language)
    return talk, talk.step(tx)


def _our_call(tx: Connection, event: VoiceEvent, person: str) -> Any:
    """Purpose, language and screening of the call that we placed: the one with this session, or, before its receipt
    came, the newest to this number."""
    return tx.execute(
        sa.select(message.c.purpose, message.c.language, message.c.screening_id)
        .where(message.c.recipient == person, message.c.kind == Kind.VOICE.value)
        .order_by(sa.case((message.c.provider_id == event.session_id, 0), else_=1), message.c.id.desc())
        .limit(1)
    ).first()


def _subject(tx: Connection, event: VoiceEvent, call: Any) -> tuple[str, dict[str, Any]]:
    """The flow of a call and its arguments."""
    purpose = call.purpose if call else ""
    if event.direction == "inbound" or purpose == "call-back":
        return "call-menu", {}
    if purpose == VISIT_CALL:
        return asked_by_call(tx, call.screening_id)
    return ("risk-answer" if purpose == RISK_CALL else "result"), {}


def _take(tx: Connection, talk: Conversation, digits: str | None) -> tuple[Conversation, Step]:
    if digits == _OPTIONS:
        _detour(talk)
        talk.notes["aside"] = "options"
        return talk, _aside_step(talk)
    if "aside" in talk.notes:
        return talk, _aside(tx, talk, digits or "")
    if not digits:
        # Asked again, and said again: whoever did not hear the end did not hear the beginning either.
        return talk, _now(tx, talk)
    if talk.state == "resuming":
        return resume(tx, talk, digits)
    pages = _pages(_now(tx, talk))
    if pages > 1:
        page = talk.notes.get("page", 0)
        if digits == str(len(_shown(_now(tx, talk), page)) + 1):
            _detour(talk)
            talk.notes["page"] = (page + 1) % pages
            return talk, _now(tx, talk)
        if digits.isascii() and digits.isdigit():
            digits = str(page * A_PAGE + int(digits))
    step = talk.step(tx, digits)
    if step.error is None:
        talk.notes.pop("page", None)
    return talk, step


def _detour(talk: Conversation) -> None:
    talk.notes["detours"] = talk.notes.get("detours", 0) + 1


def _now(tx: Connection, talk: Conversation) -> Step:
    return resume_step(talk) if talk.state == "resuming" else talk.step(tx)


def _aside_step(talk: Conversation) -> Step:
    if talk.notes["aside"] == "language":
        return Step(talk.language, [], Choice("ask-language", keys=LANGUAGES_OFFERED, labels="language"))
    pace = "slower" if talk.notes.get("pace") != "slow" else "faster"
    keys = ("repeat", pace, "language", "person")
    return Step(talk.language, [], Choice("ask-call-options", keys=keys, labels="menu-option"))


def _aside(tx: Connection, talk: Conversation, digits: str) -> Step:
    """The answer to what 0 offered; then back to the question that was left for it."""
    asked = _aside_step(talk)
    assert asked.question is not None
    try:
        wish = asked.question.accept(digits, talk.language)
    except Invalid as error:
        asked.error = error if digits else None
        return asked
    if wish == "language":
        talk.notes["aside"] = wish
        return _aside_step(talk)
    if talk.notes.pop("aside") == "language":
        set_language(tx, msisdn=talk.caller.msisdn, language=wish)
        talk.speak(wish)
    elif wish in ("slower", "faster"):
        talk.notes["pace"] = "slow" if wish == "slower" else "normal"
    elif wish == "person":
        talk.turn_to("person")
    return _now(tx, talk)


@dataclass(frozen=True)
class _PageOfChoices(Choice):
    """Some of many choices, and a key for more."""

    shown: tuple[tuple[str, str], ...] = ()

    def options(self) -> Sequence[tuple[str, str]]:
        return self.shown


def _pages(step: Step) -> int:
    options = step.question.options() if step.question is not None else ()
    return 1 if len(options) <= KEYS else -(-len(options) // A_PAGE)


def _shown(step: Step, page: int) -> Sequence[tuple[str, str]]:
    assert step.question is not None
    return step.question.options()[page * A_PAGE : (page + 1) * A_PAGE]


def _one_key(step: Step, talk: Conversation) -> Step:
    """Every choice has one key, 1 to 9; more of them come on pages."""
    if _pages(step) == 1 or step.question is None:
        return step
    shown = (*_shown(step, talk.notes.get("page", 0)), ("more", "voice-more"))
    question = _PageOfChoices(step.question.id, step.question.params, shown=shown)
    # There are no more keys than are read out.
    error = Invalid("error-choice", last=len(shown)) if step.error is not None else None
    return replace(step, question=question, error=error)
