"""Where conversations begin: the menu, the words that go straight to one thing, and a call that somebody placed."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from flows.conversation import Caller, Do, Flow, Speak, Tell, Yielded
from flows.findrisc import risk_questions
from flows.open_screening import open_new
from flows.questions import Choice
from flows.result import call_me, finish, result
from flows.symptoms import symptom_questions
from services.screening.people import set_language
from services.settings import current

_LANGUAGES = ("sw", "luo", "en")
_WORKER = ("open", "result", "finish", "language", "symptoms", "risk")
_ANYONE = ("result", "call", "language", "about", "risk")
_CALLER = ("result", "risk")


def menu(caller: Caller) -> Flow:
    """Language at first contact, then what this caller may do."""
    if caller.language is None:
        yield from _choose_language(caller)
    while True:
        if caller.worker:
            wish = yield Choice("ask-worker-menu", keys=_WORKER, labels="menu", params={"name": caller.name})
        else:
            wish = yield Choice("ask-menu", keys=_ANYONE, labels="menu")
        if wish != "language":
            break
        yield from _choose_language(caller)
    if wish == "open":
        return (yield from open_new(caller))
    if wish == "result":
        return (yield from result(caller))
    if wish == "call":
        return (yield from call_me(caller))
    if wish == "finish":
        return (yield from finish(caller))
    if wish == "symptoms":
        return (yield from symptom_questions(caller))
    if wish == "risk":
        return (yield from risk_questions(caller))
    return Tell("about", {"clinic": current().clinic})


def risk(caller: Caller) -> Flow:
    """The risk questions without a menu, for who wrote their word."""
    if caller.language is None:
        yield from _choose_language(caller)
    return (yield from risk_questions(caller))


def call_menu(caller: Caller) -> Flow:
    """What somebody who rang may want. The language was chosen elsewhere: one voice cannot offer three."""
    wish = yield Choice("ask-call-menu", keys=_CALLER, labels="menu")
    return (yield from (result if wish == "result" else risk_questions)(caller))


def _choose_language(caller: Caller) -> Generator[Yielded, Any, None]:
    language = yield Choice("ask-language", keys=_LANGUAGES, labels="language")
    yield Do(set_language, undoable=True, msisdn=caller.msisdn, language=language)
    yield Speak(language)
