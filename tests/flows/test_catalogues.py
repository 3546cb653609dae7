"""What a sentence becomes: in its language, with its parameters, in its form for a number."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import flows
from flows.catalogue import LANGUAGES, Counted, UnknownMessage, messages, read_po, text
from flows.formats import formats
from flows.programmes import offer_of
from services.programmes import installed
from services.screening.facilities import DAYS

FLOWS = Path(flows.__file__).parent
# How `cases` answers, and the outcomes of `decision`: each has to be said.
STATES = {
    "result": ("refer", "refer-urgent", "rescreen", "waiting", "locked"),
    "call": ("calling", "waiting", "limit", "locked"),
    "finish": ("done", "waiting", "locked"),
    "visit": ("none", "locked", "withdrawn", "yes", "not-yet", "cannot", "recorded"),
    "open": (*DAYS, "weekdays", "mon-sat", "every-day"),
    "photo": ("queued", "locked", "closed", "taken"),
    "adviser": ("asked", "limit", "unreachable"),
}


def test_whatever_can_happen_is_said() -> None:
    for prefix, states in STATES.items():
        for state in states:
            assert messages("en")[f"{prefix}-{state}"]


def test_whatever_a_programme_says_is_a_sentence() -> None:
    for name, programme in installed().items():
        offer = offer_of(name)
        entries = {f"menu-{key}" for menu in (offer.worker, offer.anyone, offer.calling) for key in menu}
        said = {message for answer in programme.says.values() for message in answer}
        said |= {
            *offer.help_worker,
            *offer.help_anyone,
            *offer.spoken,
            *(each for menu in offer.menus for each in menu),
        }
        assert said | entries | {f"menu-photo-{name}"} <= set(messages("en")), name


def test_the_flows_name_only_messages_that_exist() -> None:
    named = set()
    for path in FLOWS.rglob("*.py"):
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


PO = """msgid ""
msgstr ""
"Language: sw\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "left-over"
msgid_plural "photos"
msgstr[0] "one photo"
msgstr[1] ""
"{photos} "
"photos"
"""


@pytest.mark.parametrize(("photos", "said"), [(0, "0 photos"), (1, "one photo"), (2, "2 photos"), (101, "101 photos")])
def test_a_number_chooses_the_form(tmp_path: Path, photos: int, said: str) -> None:
    (tmp_path / "jicho.po").write_text(PO, encoding="utf-8")
    counted = read_po(tmp_path / "jicho.po")["left-over"]
    assert isinstance(counted, Counted)
    assert counted == "{photos} photos"
    assert counted.forms[counted.rule(photos)].format(photos=photos) == said


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("en", 1, "within one day the"),
        ("en", 2, "within 2 days the"),
        ("sw", 1, "ndani ya siku moja"),
        ("sw", 6, "ndani ya siku 6"),
        ("luo", 1, "e odiechieng' achiel,"),
        ("luo", 6, "e ndalo 6,"),
    ],
)
def test_days_are_counted(language: str, days: int, said: str) -> None:
    params = {"code": "482913", "eye": "eye-left", "reason": "quality-dark"}
    assert said in text(language, "worker-retake-reminder", days=days, **params)
    with pytest.raises(KeyError):
        text(language, "worker-retake-reminder", **params)


@pytest.mark.parametrize(
    ("language", "value", "said"),
    [
        ("en", date(2026, 11, 24), "24 November 2026"),
        ("sw", date(2026, 11, 24), "24 Novemba 2026"),
        ("luo", date(2026, 4, 1), "1 Dwe mar Ang'wen 2026"),
        ("sw", Decimal("12500.50"), "12,500.5"),
        ("en", 3.0, "3"),
        ("luo", 1961, "1961"),
        ("luo", "place-eye-clinic", messages("luo")["place-eye-clinic"]),
    ],
)
def test_dates_and_quantities_are_written_as_the_language_does(language: str, value: object, said: str) -> None:
    assert said in text(language, "ask-worker-menu", name=value)


def test_every_language_has_twelve_months() -> None:
    assert {len(set(formats(language).months)) for language in LANGUAGES} == {12}


def test_saying_a_sentence_needs_neither_babel_nor_a_spreadsheet() -> None:
    # What answers callbacks imports this, and the states for its console.
    program = (
        "import sys, flows.catalogue, flows.translation.review as review;"
        "flows.catalogue.text('sw', 'goodbye'); review.review_states();"
        "print([name for name in ('babel', 'openpyxl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=FLOWS.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
