"""Every message and every question fits every channel, in three languages, whatever its parameters become."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest
import smsutil

import flows
from flows.catalogue import LANGUAGES, messages, text
from flows.conversation import Step, Tell
from flows.programmes import offer_of
from flows.questions import Choice
from flows.render_chat import sms, whatsapp
from flows.render_ussd import LIMIT, length, pages
from flows.render_voice import voice
from services.programmes import installed

# The longest that each parameter becomes: settings' limits, and what people are called.
LONGEST: dict[str, object] = {
    "clinic": "C" * 30,
    "place": "P" * 40,
    "name": "Ng'ong'o Anyango " * 4,
    "code": "482913",
    "phone": "+254711082000",
    "ussd": "*384*77*10#",
    "count": 100,
    "eye": "eye-right",
    "other": "eye-right",
    "left": "eye-state-reading",
    "right": "eye-state-reading",
    "reason": "quality-not-retina",
}


def parameters(message_id: str) -> dict[str, object]:
    names = [name for _, name, _, _ in Formatter().parse(messages("en")[message_id]) if name]
    return {name: LONGEST.get(name, 100_000) for name in names}


def every(menu: str) -> tuple[str, ...]:
    """The entries of a menu where all programmes are offered."""
    return tuple(dict.fromkeys(key for name in installed() for key in getattr(offer_of(name), menu)))


def questions() -> list[Choice]:
    """Every choice that the flows ask, read from their text, and the menus, which are made."""
    found = [
        Choice("ask-worker-menu", parameters("ask-worker-menu"), keys=every("worker"), labels="menu"),
        Choice("ask-menu", keys=every("anyone"), labels="menu"),
        Choice("ask-call-menu", keys=(*every("calling"), "person"), labels="menu"),
        Choice("ask-photo-of", keys=tuple(installed()), labels="menu-photo"),
    ]
    for path in Path(flows.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in ("Choice", "Confirm") or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            named = {each.arg: each.value for each in node.keywords}
            keys, labels = ("yes", "no"), "answer"
            if node.func.id == "Choice":
                if not isinstance(named.get("keys"), ast.Tuple):
                    continue
                keys = tuple(each.value for each in named["keys"].elts if isinstance(each, ast.Constant))  # type: ignore[attr-defined]
                labels = named["labels"].value if "labels" in named else ""  # type: ignore[attr-defined]
            found.append(Choice(node.args[0].value, parameters(node.args[0].value), keys=keys, labels=labels))  # type: ignore[arg-type]
    return found


QUESTIONS = questions()


def test_the_questions_are_found() -> None:
    assert {"ask-sex", "ask-consent", "ask-risk-family", "ask-help", "ask-withdraw"} <= {each.id for each in QUESTIONS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_fits_every_channel(language: str) -> None:
    for message_id in messages("en"):
        step = Step(language, [Tell(message_id, parameters(message_id))])
        for screen in pages(step):
            assert smsutil.is_valid_gsm(screen), message_id
            assert 0 < length(screen) <= LIMIT, message_id
        for page in range(len(pages(step))):
            said = sms(step, page=page)
            assert len(smsutil.split(said.text).parts) == 1, message_id
            assert said.more == (page < len(pages(step)) - 1), message_id
        assert len(whatsapp(step).text) <= 1024, message_id
        assert not whatsapp(step).more, message_id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.id)
def test_every_question_fits_every_channel(language: str, question: Choice) -> None:
    step = Step(language, [Tell("about", parameters("about"))], question)
    for screen in pages(step):
        assert length(screen) <= LIMIT
    numbered = "\n".join(pages(step))
    for number, (_, label) in enumerate(question.options(), 1):
        assert f"\n{number}. {text(language, label)}" in numbered
    said = whatsapp(step)
    assert [key for key, _ in said.buttons] == list(question.keys)
    assert len(said.buttons) <= 10
    longest = 20 if len(said.buttons) <= 3 else 24
    assert all(0 < len(label) <= longest for _, label in said.buttons)
    keys = [prompt.params["key"] for prompt in voice(step).prompts if prompt.id == "voice-press"]
    assert keys == list(range(1, len(question.keys) + 1))


def test_what_is_too_long_for_whatsapp_is_paged_by_whole_words() -> None:
    step = Step(
        "en", [Tell("ask-worker-menu", {"name": f"{'Anyango ' * 300}end"})], Choice("ask-sex", keys=("female", "male"))
    )
    read, page = [], 0
    while True:
        said = whatsapp(step, page=page)
        assert len(said.text) <= 1024
        read += said.text.split()
        if not said.more:
            break
        assert said.buttons == ()
        page += 1
    assert read.count("Anyango") == 300
    assert said.buttons == (("female", "Female"), ("male", "Male"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_has_no_list_is_numbered(language: str) -> None:
    many = Choice("ask-menu", keys=("result",) * 11, labels="menu")
    said = whatsapp(Step(language, [], many))
    assert said.buttons == ()
    assert said.text.count(text(language, "menu-result")) == 11
