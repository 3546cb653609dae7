"""Each channel's limits hold by construction."""

from __future__ import annotations

from pathlib import Path

import pytest
import smsutil

from flows.catalogue import LANGUAGES, messages, text
from flows.conversation import Step, Tell
from flows.questions import Choice, Code, Confirm, Invalid, Phone
from flows.render_chat import sms, whatsapp
from flows.render_ussd import LIMIT, length, pages
from flows.render_voice import VoiceStep, voice

RISK_RESULT = [
    Tell("risk-points-range", {"low": 16, "high": 23, "most": 26}),
    Tell("risk-very-high"),
    Tell("risk-test", {"clinic": "C" * 30}),
    Tell("risk-eyes"),
]
STEPS = {
    "consent": Step("en", [], Confirm("ask-consent")),
    "wrong consent": Step("en", [], Confirm("ask-consent"), Invalid("error-choice", last=2)),
    "risk consent": Step("en", [], Confirm("ask-risk-consent-worker")),
    "relatives": Step(
        "en", [], Choice("ask-risk-family", keys=("none", "far", "near")), Invalid("error-choice", last=3)
    ),
    "the longest risk": Step("en", RISK_RESULT),
    "the end": Step("en", [Tell("screening-opened", {"code": "482918"}), Tell("about", {"clinic": "C" * 30})]),
    "a name of brackets": Step(
        "en", [], Choice("ask-worker-menu", {"name": "[{~}]" * 40}, keys=("open", "result"), labels="menu")
    ),
    "a name of words": Step(
        "en", [], Choice("ask-worker-menu", {"name": "Anyango " * 60}, keys=("open", "result"), labels="menu")
    ),
    "a name in Chinese": Step(
        "en", [], Choice("ask-worker-menu", {"name": "护士" * 50}, keys=("open",), labels="menu")
    ),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", [True, False])
def test_a_screen_holds_160_places_of_gsm_7(name: str, language: str, first: bool) -> None:
    step = STEPS[name]
    step.language = language
    screens = pages(step, first=first)
    for screen in screens:
        assert smsutil.is_valid_gsm(screen)
        assert 0 < length(screen) <= LIMIT
        assert len(smsutil.split(screen).parts) == 1
    more = text(language, "ussd-more")
    assert [more in screen.splitlines() for screen in screens] == [True] * (len(screens) - 1) + [False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_lose_no_word(language: str) -> None:
    step = Step(language, [], Confirm("ask-consent"))
    furniture = {*text(language, "ussd-more").split(), *text(language, "ussd-back").split()}
    said = [word for screen in pages(step) for word in screen.split()]
    words = text(language, "ask-consent").split()
    assert [word for word in said if word not in furniture or word in words][: len(words)] == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_risk_result_takes_three_screens_at_most_and_names_the_class_on_the_first(language: str) -> None:
    screens = pages(Step(language, RISK_RESULT))
    assert len(screens) <= 3
    assert text(language, "risk-very-high").split(":")[0] in screens[0]


def test_an_option_is_never_torn_apart() -> None:
    step = Step("en", [Tell("about", {"clinic": "C" * 25})], Choice("ask-menu", keys=("open", "help"), labels="menu"))
    lines = [line for screen in pages(step) for line in screen.splitlines()]
    assert "1. Open a screening" in lines
    assert "2. Help" in lines


def test_whatsapp_gets_buttons_with_labels_that_fit_and_sms_gets_numbers() -> None:
    for language in LANGUAGES:
        for keys in (("open", "result", "finish", "language"), ("result", "call", "language", "help")):
            step = Step(language, [], Choice("ask-menu", keys=keys, labels="menu"))
            said = whatsapp(step)
            assert [key for key, _ in said.buttons] == list(keys)
            assert all(0 < len(label) <= 24 for _, label in said.buttons)
            assert sms(step).buttons == ()
            assert "4. " in sms(step).text


def test_an_open_question_has_no_buttons() -> None:
    said = whatsapp(Step("sw", [], Phone("ask-patient-phone", optional=True)))
    assert said.buttons == ()


def test_a_call_says_which_keys_it_waits_for_and_what_is_private() -> None:
    asked = voice(Step("sw", [Tell("code-unknown")], Code("ask-result-code")))
    assert (asked.digits, asked.ended) == (6, False)
    assert asked.texts[0] == text("sw", "code-unknown")
    told = voice(
        Step("en", [Tell("result-refer", {"place": "X"}, private=True)], Choice("ask-again", keys=("repeat", "end")))
    )
    assert told.digits == 1
    assert [prompt.private for prompt in told.prompts] == [True, False, False, False]
    assert VoiceStep.from_json(told.to_json()) == told


def test_a_patient_is_never_told_a_grade() -> None:
    for language in LANGUAGES:
        for message_id, words in messages(language).items():
            if message_id.startswith(("result-", "patient-", "call-")):
                assert not any(
                    grade in words.casefold() for grade in ("retinopathy", "proliferative", "grade", "diabet")
                )
    assert "{place}" in messages("luo")["result-refer"]


def test_the_catalogues_lie_where_translators_look() -> None:
    import flows

    for language in LANGUAGES:
        assert (Path(flows.__file__).parent / "locale" / language / "LC_MESSAGES" / "jicho.po").is_file()
