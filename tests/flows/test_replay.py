"""The engine: replayed from its journal, a conversation is where it was, and what was done is done once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.conversation import Do, Flow, Journal, JournalMismatch, Speak, Step, Tell, go_back, play
from flows.questions import Choice, Code, Confirm, Number

NO_STORE: Any = None


class Ledger:
    """Counts what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def book(self, _tx: Any, *, what: str) -> dict[str, Any]:
        self.done.append(what)
        return {"number": len(self.done)}

    def look_up(self, _tx: Any, *, what: str) -> dict[str, Any]:
        return {"found": what in self.done}


def shop(ledger: Ledger) -> Flow:
    """Asks, does something that stays done, and asks again."""
    language = yield Choice("ask-language", keys=("sw", "en"), labels="language")
    yield Speak(language)
    while True:
        born = yield Number("ask-birth-year", low=1900, high=2000)
        seen = yield Do(ledger.look_up, undoable=True, what=str(born))
        if (yield Confirm("ask-consent")):
            break
    yield Tell("about", {"clinic": str(seen["found"])})
    booked = yield Do(ledger.book, what=str(born))
    code = yield Code("ask-result-code")
    return Tell("photo-closed", {"code": f"{booked['number']} {code}"})


def turn(ledger: Ledger, journal: Journal, answer: str | None = None) -> Step:
    return play(shop(ledger), journal, NO_STORE, language="luo", answer=answer)


def test_a_conversation_from_its_first_question_to_its_end() -> None:
    ledger, journal = Ledger(), []
    assert turn(ledger, journal).question == Choice("ask-language", keys=("sw", "en"), labels="language")
    assert turn(ledger, journal).language == "luo"
    assert turn(ledger, journal, "English").language == "en"
    step = turn(ledger, journal, "1899")
    assert (step.error and step.error.id, step.question and step.question.id) == ("error-number", "ask-birth-year")
    turn(ledger, journal, " 1961 ")
    step = turn(ledger, journal, "1")
    assert ([tell.id for tell in step.tells], step.question and step.question.id) == (["about"], "ask-result-code")
    step = turn(ledger, journal, "482-918")
    assert step.ended
    assert step.tells[-1].params == {"code": "1 482918"}
    assert ledger.done == ["1961"]


def test_an_answer_after_the_end_changes_nothing() -> None:
    ledger, journal = Ledger(), []
    for answer in ("1", "1961", "1", "482918"):
        turn(ledger, journal, answer)
    before = copy.deepcopy(journal)
    assert turn(ledger, journal, "1").ended
    assert journal == before


@given(
    st.lists(st.sampled_from(["1", "2", "en", "1961", "1999", "61", "482918", "482913", "", "x", "back"]), max_size=14)
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_resumed_after_each_turn_or_played_at_once_the_state_is_the_same(answers: list[str]) -> None:
    together, apart = Ledger(), Ledger()
    kept: Journal = []
    stored = "[]"
    for answer in answers:
        reread = json.loads(stored)
        steps = []
        for ledger, journal in ((together, kept), (apart, reread)):
            if answer == "back":
                go_back(journal)
            steps.append(turn(ledger, journal, None if answer == "back" else answer))
        stored = json.dumps(reread)
        assert (steps[0].tells, steps[0].question, steps[0].language) == (
            steps[1].tells,
            steps[1].question,
            steps[1].language,
        )
        # Looking again, without an answer, neither moves nor does anything.
        again = turn(apart, json.loads(stored))
        assert (again.question, again.ended) == (steps[1].question, steps[1].ended)
    assert kept == json.loads(stored)
    assert together.done == apart.done
    assert len(apart.done) <= 1


def test_back_takes_an_answer_and_what_was_only_looked_up() -> None:
    ledger, journal = Ledger(), []
    for answer in ("1", "1961"):
        turn(ledger, journal, answer)
    assert go_back(journal)
    assert [entry[:2] for entry in journal] == [["answer", "ask-language"]]


def test_back_never_crosses_what_was_done() -> None:
    ledger, journal = Ledger(), []
    for answer in ("1", "1961", "1"):
        turn(ledger, journal, answer)
    before = copy.deepcopy(journal)
    assert not go_back(journal)
    assert journal == before
    assert not go_back([])


def renamed_question(_: Ledger) -> Flow:
    yield Choice("ask-sex", keys=("female", "male"))
    return Tell("goodbye")


def effect_first(ledger: Ledger) -> Flow:
    yield Do(ledger.look_up, what="x")
    return Tell("goodbye")


def shorter(_: Ledger) -> Flow:
    yield Choice("ask-language", keys=("sw", "en"), labels="language")
    return Tell("goodbye")


@pytest.mark.parametrize("newer", [renamed_question, effect_first, shorter])
def test_a_journal_of_another_release_is_refused(newer: Callable[[Ledger], Flow]) -> None:
    ledger, journal = Ledger(), []
    for answer in ("1", "1961"):
        turn(ledger, journal, answer)
    with pytest.raises(JournalMismatch):
        play(newer(ledger), journal, NO_STORE, language="en")
