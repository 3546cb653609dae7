"""The catalogues are sound, and the check that says so finds each kind of fault."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

import flows
from flows.catalogue import LANGUAGES, LOCALE, UnknownMessage, messages, text
from flows.review import drafts, entries, problems

FLOWS = Path(flows.__file__).parent
# How `cases` answers, and the outcomes of `decision`: each has to be said.
STATES = {
    "result": ("refer", "rescreen", "waiting", "locked"),
    "call": ("calling", "waiting", "limit", "locked"),
    "finish": ("done", "waiting", "locked"),
    "photo": ("queued", "locked", "closed", "taken"),
}


def test_the_catalogues_are_sound() -> None:
    assert problems() == []


def test_every_message_is_in_every_language_as_the_check_reads_it() -> None:
    for language in LANGUAGES:
        read = {message_id: entry.text for message_id, entry in entries(LOCALE / language / "LC_MESSAGES" / "jicho.po")}
        assert read == messages(language)


def test_whatever_can_happen_is_said() -> None:
    for prefix, states in STATES.items():
        for state in states:
            assert messages("en")[f"{prefix}-{state}"]


def test_the_flows_name_only_messages_that_exist() -> None:
    named = set()
    for path in FLOWS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("Tell", "Choice", "Confirm", "Number", "Phone", "Code", "Invalid"):
                    named |= {first.value} if isinstance(first, ast.Constant) else set()
    assert len(named) > 20
    assert named <= set(messages("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_of_a_call_are_said_for_the_ear(language: str) -> None:
    assert {"ask-result-code-voice", "ask-again-voice", "voice-press"} <= set(messages(language))


def test_an_unknown_message_or_parameter_is_an_error() -> None:
    with pytest.raises(UnknownMessage):
        text("sw", "no-such-message")
    with pytest.raises(KeyError):
        text("sw", "error-number", low=1)


def test_nothing_is_called_reviewed_that_nobody_reviewed() -> None:
    for language in ("sw", "luo"):
        same = [
            each for each, entry in entries(LOCALE / language / "LC_MESSAGES" / "jicho.po") if entry.review == "same"
        ]
        assert len(drafts(language)) + len(same) == len(messages(language))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('msgid "goodbye"\n', 'msgid "good-bye"\n', "sw goodbye: missing"),
        ('msgid "goodbye"\n', 'msgid "good-bye"\n', "sw good-bye: no such message"),
        ('msgid "goodbye"\n', 'msgid "about"\n', "sw about: twice"),
        ("#. en: Thank you. Goodbye.", "#. en: Thank you.", "sw goodbye: stale: the English has changed"),
        ("Asante. Kwaheri.", "", "sw goodbye: empty"),
        ("Asante. Kwaheri.", "Asante… Kwaheri.", "sw goodbye: not in GSM-7: it would halve what fits an SMS"),
        ("Asante. Kwaheri.", "Asante. " * 40, "sw goodbye: too long"),
        ("Asante. Kwaheri.", "Asante, {name}.", "sw goodbye: other parameters than the English"),
        ("Mwanamke", "Mwanamke au mwanaume mzee", "sw ask-sex-female: too long"),
        (
            '# review: draft\nmsgid "goodbye"',
            '# review: same\nmsgid "goodbye"',
            "sw goodbye: said to be the same, but differs",
        ),
        ('# review: draft\nmsgid "goodbye"', 'msgid "goodbye"', "sw goodbye: no review state"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, old: str, new: str, fault: str) -> None:
    shutil.copytree(LOCALE, tmp_path / "locale")
    path = tmp_path / "locale" / "sw" / "LC_MESSAGES" / "jicho.po"
    sound = path.read_text(encoding="utf-8")
    assert old in sound
    path.write_text(sound.replace(old, new), encoding="utf-8")
    assert fault in problems(tmp_path / "locale")
