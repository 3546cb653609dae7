"""Where conversations begin: the menu, the words that go straight to one thing, and a call that somebody placed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from flows.conversation import Caller, Do, Flow, JournalMismatch, Speak, Yielded
from flows.findrisc import risk_questions
from flows.help import help_menu
from flows.programmes import HELP, LANGUAGE, Entry, anyone_menu, by_word, calling_menu, worker_menu
from flows.questions import Choice
from services.screening.people import set_language

LANGUAGES_OFFERED = ("sw", "luo", "en")


def menu(caller: Caller) -> Flow:
    """Language at first contact, then what this caller may do."""
    if caller.language is None:
        yield from _choose_language(caller)
    entries = worker_menu() if caller.worker else anyone_menu()
    while True:
        if caller.worker:
            wish = yield Choice("ask-worker-menu", keys=tuple(entries), labels="menu", params={"name": caller.name})
        else:
            wish = yield Choice("ask-menu", keys=tuple(entries), labels="menu")
        if wish != LANGUAGE:
            break
        yield from _choose_language(caller)
    return (yield from _begun(entries, wish, caller))


def risk(caller: Caller) -> Flow:
    """The risk questions without a menu, for who wrote their word."""
    if caller.language is None:
        yield from _choose_language(caller)
    return (yield from risk_questions(caller))


def asked_by_word(caller: Caller, programme: str) -> Flow:
    """What a programme's word begins."""
    if caller.language is None:
        yield from _choose_language(caller)
    return (yield from by_word()[programme](caller))


def call_menu(caller: Caller) -> Flow:
    """What somebody who rang may want. The language was chosen elsewhere: one voice cannot offer three."""
    entries = calling_menu()
    wish = yield Choice("ask-call-menu", keys=tuple(entries), labels="menu")
    return (yield from _begun(entries, wish, caller))


def _begun(entries: Mapping[str, Entry | None], wish: str, caller: Caller) -> Flow:
    if wish not in entries:
        raise JournalMismatch  # chosen when this site offered it
    flow = help_menu if wish == HELP else entries[wish]
    assert flow is not None, "the language is no end of a menu"
    return (yield from flow(caller))


def _choose_language(caller: Caller) -> Generator[Yielded, Any, None]:
    language = yield Choice("ask-language", keys=LANGUAGES_OFFERED, labels="language")
    yield Do(set_language, undoable=True, msisdn=caller.msisdn, language=language)
    yield Speak(language)
