"""Conversations that outlive a session: found by phone number, kept in the store, one function a kind of channel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.conversation import Caller, Flow, Journal, JournalMismatch, Step, Tell, go_back, play
from flows.findrisc import risk_answer
from flows.menu import call_menu, menu, risk
from flows.photograph import photograph
from flows.questions import Choice, Invalid
from flows.result import result
from services.channels.base import Kind
from services.screening.people import caller_for
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.database import one_at_a_time
from services.store.tables import conversation

RESUMABLE_MS = DAY_MS
FLOWS: Mapping[str, Callable[..., Flow]] = {
    "menu": menu,
    "photograph": photograph,
    "result": result,
    "risk": risk,
    "risk-answer": risk_answer,
    "call-menu": call_menu,
}
_ARGUMENTS = {name: inspect.signature(flow).parameters.keys() - {"caller"} for name, flow in FLOWS.items()}

# Statements are built once: building them took half the time of a USSD turn.
_OF_NUMBER = (conversation.c.msisdn == sa.bindparam("number"), conversation.c.channel == sa.bindparam("kind"))
_LATEST = sa.select(conversation).where(*_OF_NUMBER).order_by(conversation.c.id.desc()).limit(1)
_SAID_IN = (
    sa.select(conversation.c.last_answer)
    .where(*_OF_NUMBER, conversation.c.session_id == sa.bindparam("session"))
    .order_by(conversation.c.id.desc())
    .limit(1)
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
    """USSD: the page on the screen. Voice: how often nobody pressed a key."""
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
    one_at_a_time(tx, f"{channel.value}:{msisdn}")
    row = tx.execute(_LATEST, {"number": msisdn, "kind": channel.value}).first()
    if row is None:
        return None
    try:
        caller, arguments = Caller(**row.caller["caller"]), row.caller["arguments"]
    except (KeyError, TypeError):
        return None  # an older release wrote it
    if row.flow not in FLOWS or arguments.keys() != _ARGUMENTS[row.flow]:
        return None
    return Conversation(
        caller,
        row.flow,
        arguments,
        row.journal,
        row.session_id,
        id=row.id,
        language=row.language,
        state=row.state,
        heard=row.ussd_text,
        said=row.last_answer,
        counter=row.counter,
        updated_at=row.updated_at,
    )


def said_in(tx: Connection, msisdn: str, channel: Kind, session_id: str) -> str | None:
    """What a number was last told in an earlier session, or None if it had no such session."""
    said: str | None = tx.execute(_SAID_IN, {"number": msisdn, "kind": channel.value, "session": session_id}).scalar()
    return said


def save(tx: Connection, talk: Conversation) -> None:
    """Writes a conversation down; what was said to it is not final before the transaction is."""
    now = now_ms()
    values = {
        "session_id": talk.session_id,
        "flow": talk.flow,
        "caller": {"caller": asdict(talk.caller), "arguments": talk.arguments},
        "journal": talk.journal,
        "language": talk.language,
        "ussd_text": talk.heard,
        "last_answer": talk.said,
        "counter": talk.counter,
        "state": talk.state,
        "updated_at": now,
    }
    if talk.id is None:
        fixed = {"msisdn": talk.caller.msisdn, "channel": talk.caller.channel, "created_at": now}
        talk.id = tx.execute(_INSERT, values | fixed).scalar_one()
    else:
        tx.execute(_UPDATE, values | {"row": talk.id})


def can_resume(talk: Conversation | None) -> bool:
    """Whether there is something to go on with: an unfinished conversation of today with an answer in it."""
    return (
        talk is not None
        and talk.state != "ended"
        and talk.updated_at > now_ms() - RESUMABLE_MS
        and any(entry[0] == "answer" for entry in talk.journal)
    )


def resume_step(talk: Conversation) -> Step:
    """The offer to go on or to start again."""
    return Step(talk.language, [], Choice("ask-resume", keys=("continue", "again"), labels="resume"))
