"""Where conversations begin: the menu, the words that go straight to one thing, and a call that somebody placed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from flows.consent import my_data, withdraw
from flows.conversation import Caller, Do, Flow, Speak, Yielded
from flows.findrisc import risk_questions
from flows.help import help_menu, person
from flows.lists import my_screenings
from flows.open_screening import open_new
from flows.questions import Choice
from flows.referral import visit
from flows.result import call_me, finish, result
from flows.symptoms import symptom_questions
from services.screening.people import set_language

LANGUAGES_OFFERED = ("sw", "luo", "en")
# One line a thing that can be done; the label of each is the message `menu-<key>`.
WORKER: Mapping[str, Callable[[Caller], Flow]] = {
    "open": open_new,
    "result": result,
    "finish": finish,
    "symptoms": symptom_questions,
    "risk": risk_questions,
    "lists": my_screenings,
    "withdraw": withdraw,
    "record": visit,
    "help": help_menu,
}
ANYONE: Mapping[str, Callable[[Caller], Flow]] = {
    "result": result,
    "call": call_me,
    "help": help_menu,
    "risk": risk_questions,
    "data": my_data,
    "visit": visit,
}
CALLING: Mapping[str, Callable[[Caller], Flow]] = {
    "result": result,
    "risk": risk_questions,
    "visit": visit,
    "data": my_data,
    "help": help_menu,
    "person": person,
}
_LANGUAGE = "language"
# People who use a menu daily know its numbers: what is added comes last.
WORKER_KEYS = ("open", "result", "finish", _LANGUAGE, *list(WORKER)[3:])
ANYONE_KEYS = ("result", "call", _LANGUAGE, *list(ANYONE)[2:])


def menu(caller: Caller) -> Flow:
    """Language at first contact, then what this caller may do."""
    if caller.language is None:
        yield from _choose_language(caller)
    while True:
        if caller.worker:
            wish = yield Choice("ask-worker-menu", keys=WORKER_KEYS, labels="menu", params={"name": caller.name})
        else:
            wish = yield Choice("ask-menu", keys=ANYONE_KEYS, labels="menu")
        if wish != _LANGUAGE:
            break
        yield from _choose_language(caller)
    return (yield from (WORKER if caller.worker else ANYONE)[wish](caller))


def risk(caller: Caller) -> Flow:
    """The risk questions without a menu, for who wrote their word."""
    if caller.language is None:
        yield from _choose_language(caller)
    return (yield from risk_questions(caller))


def call_menu(caller: Caller) -> Flow:
    """What somebody who rang may want. The language was chosen elsewhere: one voice cannot offer three."""
    wish = yield Choice("ask-call-menu", keys=tuple(CALLING), labels="menu")
    return (yield from CALLING[wish](caller))


def _choose_language(caller: Caller) -> Generator[Yielded, Any, None]:
    language = yield Choice("ask-language", keys=LANGUAGES_OFFERED, labels="language")
    yield Do(set_language, undoable=True, msisdn=caller.msisdn, language=language)
    yield Speak(language)
