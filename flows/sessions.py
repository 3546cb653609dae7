"""Conversations that outlive a session: found by phone number, kept in the store, one function a kind of channel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.asked import attended_asked, invited_asked, visit_asked
from flows.consent import withdraw
from flows.conversation import (
    Caller,
    Flow,
    Journal,
    JournalMismatch,
    Step,
    Tell,
    go_back,
    play,
    without_secrets,
)
from flows.findrisc import risk_answer
from flows.help import person
from flows.menu import asked_by_word, call_menu, menu, risk
from flows.photograph import photograph, photograph_asked
from flows.questions import Choice, Invalid
from flows.result import read_out
from services.channels.base import Kind
from services.screening.people import caller_for
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.database import one_at_a_time
from services.store.rows import conversation_name, opened_json
from services.store.sealing import phone_token, seal_json
from services.store.tables import conversation

RESUMABLE_MS = DAY_MS
FLOWS: Mapping[str, Callable[..., Flow]] = {
    "menu": menu,
    "photograph": photograph,
    "photograph-asked": photograph_asked,
    "programme": asked_by_word,
    "result": read_out,
    "risk": risk,
    "risk-answer": risk_answer,
    "call-menu": call_menu,
    "visit": visit_asked,
    "attended": attended_asked,
    "invited": invited_asked,
    "withdraw": withdraw,
    "person": person,
}
# How long a question by message waits for its answer: what the clinic asked may be read on another day.
OPEN_MS = {"visit": 14 * DAY_MS, "attended": 14 * DAY_MS, "invited": 14 * DAY_MS}
# What may go on on another channel: flows that ask, at each private sentence, which channel they are on. Those that
# begin with a code have nothing to go on with: whoever picks up gives it anew.
EVERYWHERE = frozenset({"menu", "photograph", "programme", "risk", "call-menu"})
_KEPT = (Kind.SMS, Kind.WHATSAPP)
_CHANNELS = 4
_ARGUMENTS = {name: inspect.signature(flow).parameters.keys() - {"caller"} for name, flow in FLOWS.items()}

# Statements are built once: building them took half the time of a USSD turn.
_OF_NUMBER = (conversation.c.msisdn == sa.bindparam("number"), conversation.c.channel == sa.bindparam("kind"))
_LATEST = sa.select(conversation).where(*_OF_NUMBER).order_by(conversation.c.id.desc()).limit(1)
_SAID_IN = (
    sa.select(conversation)
    .where(*_OF_NUMBER, conversation.c.session_id == sa.bindparam("session"))
    .order_by(conversation.c.id.desc())
    .limit(1)
)
_BY_ID = sa.select(conversation).where(conversation.c.id == sa.bindparam("row"))
_later = conversation.alias("later")
_UNFINISHED = (
    sa.select(conversation)
    .where(
        conversation.c.msisdn == sa.bindparam("number"),
        sa.text("conversation.state = 'active'"),  # written out, so that its partial index is found
        conversation.c.updated_at > sa.bindparam("since"),
        # Who began something else on that channel has left it; an offer that was not answered changes nothing.
        ~sa.exists().where(
            _later.c.msisdn == conversation.c.msisdn,
            _later.c.channel == conversation.c.channel,
            _later.c.id > conversation.c.id,
            _later.c.state != "resuming",
        ),
    )
    .order_by(conversation.c.updated_at.desc(), conversation.c.id.desc())
    .limit(_CHANNELS)
)
_INSERT = conversation.insert().returning(conversation.c.id)
_UPDATE = conversation.update().where(conversation.c.id == sa.bindparam("row"))


@dataclass
class Conversation:
    """One row of `conversation`, as the flows see it."""

    caller: Caller
    flow: str
    arguments: dict[str, Any]
    journal: Journal
    session_id: str
    id: int | None = None
    language: str = ""
    """The language it was last spoken in."""
    state: str = "active"
    heard: str = ""
    """USSD: the cumulative text last received."""
    said: str = ""
    """What was last answered, to be said again when the carrier asks again."""
    counter: int = 0
    """USSD: the page on the screen. Voice: how often nobody pressed a key. Chat: mistakes in a row."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What only a channel needs: `continues`, the row that it offers to go on with; `page`; `pace`."""
    began_at: int = 0
    """When its row was written first: a part of the row's name, which its content is sealed for."""
    updated_at: int = 0

    def step(self, tx: Connection, answer: str | None = None) -> Step:
        """Plays the flow on. A journal that an older release wrote starts it anew: nothing that was done is undone."""
        language = self.caller.language or current().language
        try:
            step = play(self._flow(), self.journal, tx, language=language, answer=answer)
        except JournalMismatch:
            self.journal.clear()
            step = play(self._flow(), self.journal, tx, language=language)
            step.tells.insert(0, Tell("restarted"))
        self.language = step.language
        return step

    def back(self, tx: Connection) -> Step:
        """Takes back the last answer and asks it again, or says that what was done since stays done."""
        taken_back = go_back(self.journal)
        step = self.step(tx)
        if not taken_back and self.journal and step.question is not None:
            step.error = Invalid("error-back")
        return step

    def speak(self, language: str) -> None:
        """From here on another language, whatever was chosen before."""
        chosen = [entry for entry in self.journal if entry[:2] == ["answer", "ask-language"]]
        for entry in chosen:
            entry[2] = language
        if not chosen:
            self.caller = replace(self.caller, language=language)
        self.language = language

    def turn_to(self, flow: str) -> None:
        """Leaves what was begun for another flow."""
        self.flow, self.arguments, self.journal, self.state = flow, {}, [], "active"

    def _flow(self) -> Flow:
        return FLOWS[self.flow](self.caller, **self.arguments)


def begin(
    tx: Connection, msisdn: str, channel: Kind, session_id: str, flow: str = "menu", **arguments: Any
) -> Conversation:
    """A new conversation with whoever has this number."""
    caller = Caller(msisdn, channel.value, **caller_for(tx, msisdn))
    return Conversation(caller, flow, arguments, [], session_id)


def latest(tx: Connection, msisdn: str, channel: Kind) -> Conversation | None:
    """The newest conversation of a number on a channel, ended or not; nobody else goes on with it meanwhile."""
    one_at_a_time(tx, phone_token(msisdn))  # on every channel: what goes on on one must not go on on another meanwhile
    return _read(tx.execute(_LATEST, {"number": msisdn, "kind": channel.value}).first())


def _read(row: Any) -> Conversation | None:
    if row is None:
        return None
    content = _content(row)
    try:
        caller, arguments = Caller(**content["caller"]), content["arguments"]
    except (KeyError, TypeError):
        return None  # an older release wrote it, or it was erased
    if row.flow not in FLOWS or arguments.keys() != _ARGUMENTS[row.flow]:
        return None
    return Conversation(
        caller,
        row.flow,
        arguments,
        content["journal"],
        row.session_id,
        id=row.id,
        language=row.language,
        state=row.state,
        heard=content["heard"],
        said=content["said"],
        counter=row.counter,
        notes=content["notes"],
        began_at=row.created_at,
        updated_at=row.updated_at,
    )


def said_in(tx: Connection, msisdn: str, channel: Kind, session_id: str) -> str | None:
    """What a number was last told in an earlier session, or None if it had no such session."""
    row = tx.execute(_SAID_IN, {"number": msisdn, "kind": channel.value, "session": session_id}).first()
    return None if row is None else _content(row).get("said", "")


def save(tx: Connection, talk: Conversation) -> None:
    """Writes a conversation down; what was said to it is not final before the transaction is."""
    now = now_ms()
    talk.began_at = talk.began_at or now
    content = {
        "caller": asdict(talk.caller),
        "arguments": talk.arguments,
        "notes": talk.notes,
        "journal": talk.journal,
        "heard": talk.heard,
        "said": talk.said,
    }
    name = conversation_name(talk.caller.msisdn, talk.caller.channel, talk.began_at)
    values = {
        "session_id": talk.session_id,
        "flow": talk.flow,
        "content": seal_json(conversation.c.content, name, content),
        "language": talk.language,
        "counter": talk.counter,
        "state": talk.state,
        "updated_at": now,
    }
    if talk.id is None:
        fixed = {"msisdn": talk.caller.msisdn, "channel": talk.caller.channel, "created_at": talk.began_at}
        talk.id = tx.execute(_INSERT, values | fixed).scalar_one()
    else:
        tx.execute(_UPDATE, values | {"row": talk.id})


def _content(row: Any) -> dict[str, Any]:
    """What a row holds, opened; empty once it was erased."""
    return opened_json(conversation.c.content, row) or {}


def unfinished(tx: Connection, msisdn: str, *, but: Kind | None = None) -> Conversation | None:
    """What this number did not finish today, on any channel `but` one, the newest first."""
    rows = tx.execute(_UNFINISHED, {"number": msisdn, "since": now_ms() - RESUMABLE_MS}).all()
    found = (_read(row) for row in rows if row.channel != but)
    return next((talk for talk in found if talk is not None and _can_resume(talk)), None)


def offer(tx: Connection, previous: Conversation, channel: Kind, session_id: str) -> Conversation:
    """A conversation that asks only whether to go on with another, which stays as it is until that is answered."""
    talk = begin(tx, previous.caller.msisdn, channel, session_id)
    talk.state, talk.language, talk.notes = "resuming", previous.language, {"continues": previous.id}
    return talk


def resume_step(talk: Conversation) -> Step:
    """The offer to go on or to start again."""
    return Step(talk.language, [], Choice("ask-resume", keys=("continue", "again"), labels="resume"))


def resume(tx: Connection, talk: Conversation, answer: str) -> tuple[Conversation, Step]:
    """What the answer to the offer makes of the conversation that offered. What it goes on with, or leaves, is closed
    on its own channel, so that nothing is done twice."""
    asked = resume_step(talk)
    assert asked.question is not None
    try:
        wish = asked.question.accept(answer, talk.language)
    except Invalid as error:
        asked.error = error
        return talk, asked
    previous = _read(tx.execute(_BY_ID, {"row": talk.notes["continues"]}).first())
    here: dict[str, Any] = {
        "id": talk.id,
        "began_at": talk.began_at,
        "session_id": talk.session_id,
        "heard": talk.heard,
    }
    fresh = begin(tx, talk.caller.msisdn, Kind(talk.caller.channel), talk.session_id)
    if previous is not None and previous.state == "active":
        goes_on = wish == "continue" and _can_resume(previous) and previous.caller.worker == fresh.caller.worker
        moved = replace(previous, **here, journal=without_secrets(previous.journal), counter=0, notes={})
        previous.state = "moved"
        save(tx, previous)
        if goes_on:
            moved.caller = replace(previous.caller, channel=talk.caller.channel)
            return moved, _moved_step(tx, moved, previous.caller.channel)
    fresh = replace(fresh, **here)
    return fresh, fresh.step(tx)


def _moved_step(tx: Connection, talk: Conversation, came_from: str) -> Step:
    step = talk.step(tx)
    if talk.caller.channel in _KEPT and came_from not in _KEPT and not talk.caller.worker:
        # She began where nothing stays on the phone.
        step.tells.insert(0, Tell("moved-kept", {"ussd": current().ussd_code}))
    return step


def _can_resume(talk: Conversation) -> bool:
    return (
        talk.flow in EVERYWHERE
        and talk.updated_at > now_ms() - RESUMABLE_MS
        and any(entry[0] == "answer" for entry in without_secrets(talk.journal))
    )
