"""The engine of conversations. A flow is a generator that reads from top to bottom; its journal is its memory.

At each turn the flow runs from its beginning: what the journal holds is fed to it, an effect in the journal is not run
again, and the first question without an answer is what the person hears next. So a dropped session, a power cut or a
re-dial resumes exactly where it was, and a flow needs no states.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from flows.questions import Invalid, Question

Journal = list[list[Any]]
"""`["answer", question id, value]`, with a fourth entry `true` for what only its owner knows, and `["effect", name,
result, undoable]`, in the order in which they happened."""


@dataclass(frozen=True)
class Caller:
    """Who is talking, as known when the conversation began."""

    msisdn: str
    channel: str
    worker: bool = False
    name: str = ""
    language: str | None = None


@dataclass(frozen=True)
class Tell:
    """A sentence that expects no answer. `private` ones carry a code, a number or a result."""

    id: str
    params: Mapping[str, object] = field(default_factory=dict)
    private: bool = False


@dataclass(frozen=True)
class Speak:
    """From here on, another language."""

    language: str


@dataclass(frozen=True)
class Connect:
    """A call is put through to this number when all is said; a channel without a voice only says the words."""

    msisdn: str


class Do:
    """An effect: `Do(open_screening, worker=…)`. It runs once, in the transaction of the turn that reaches it.

    `undoable` effects only look something up or may happen again: "back" can go past them.
    """

    def __init__(self, effect: Callable[..., dict[str, Any]], *, undoable: bool = False, **arguments: Any) -> None:
        self.effect, self.undoable, self.arguments = effect, undoable, arguments
        self.name = effect.__name__


Yielded = Question | Tell | Speak | Connect | Do
Flow = Generator[Yielded, Any, Tell]
"""A running flow; it returns its last sentence."""


@dataclass
class Step:
    """What a person hears next: sentences, and then a question or the end."""

    language: str
    tells: list[Tell]
    question: Question | None = None
    error: Invalid | None = None
    connect: str = ""

    @property
    def ended(self) -> bool:
        return self.question is None


class JournalMismatch(Exception):
    """The journal was written by another version of the flow."""


def play(flow: Flow, journal: Journal, tx: Connection, *, language: str, answer: str | None = None) -> Step:
    """Runs a flow to its next unanswered question. A good `answer` and new effects are appended to the journal.

    Raises JournalMismatch when the journal does not fit the flow.
    """
    step = Step(language, [])
    position = 0
    value: Any = None
    while True:
        try:
            item = flow.send(value)
        except StopIteration as end:
            if position < len(journal):
                raise JournalMismatch from None
            step.tells.append(end.value)
            return step
        value = None
        if isinstance(item, Tell):
            step.tells.append(item)
        elif isinstance(item, Speak):
            step.language = item.language
        elif isinstance(item, Connect):
            step.connect = item.msisdn
        elif isinstance(item, Do):
            if position == len(journal):
                journal.append(["effect", item.name, item.effect(tx, **item.arguments), item.undoable])
            value = _recorded(journal, position, "effect", item.name)
            position += 1
        else:
            if position == len(journal):
                if answer is None:
                    step.question = item
                    return step
                try:
                    entry = ["answer", item.id, item.accept(answer, step.language)]
                    journal.append([*entry, True] if item.secret else entry)
                except Invalid as error:
                    step.question, step.error = item, error
                    return step
                answer = None
            value = _recorded(journal, position, "answer", item.id)
            position += 1
            step.tells.clear()


def go_back(journal: Journal) -> bool:
    """Takes back the last answer. False if there is none, or if something has been done since that stays done."""
    for position in range(len(journal) - 1, -1, -1):
        entry = journal[position]
        if entry[0] == "answer":
            del journal[position:]
            return True
        undoable = entry[3]
        if not undoable:
            return False
    return False


def without_secrets(journal: Journal) -> Journal:
    """The journal before the first answer that only its owner knows: who goes on later or elsewhere gives it again,
    since phones are shared. Empty if something was done since then that stays done."""
    for position, entry in enumerate(journal):
        if entry[0] == "answer" and entry[3:] == [True]:
            stays = any(later[0] == "effect" and not later[3] for later in journal[position:])
            return [] if stays else journal[:position]
    return journal


def _recorded(journal: Journal, position: int, kind: str, name: str) -> Any:
    # The name is compared too: after an upgrade that adds a question, a year of birth must not pass for a sex.
    if journal[position][:2] != [kind, name]:
        raise JournalMismatch
    return journal[position][2]
