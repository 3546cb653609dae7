"""What calls say to everybody: rendered before anybody rings, and what is worth recording first.

The verdicts and the classes of risk are among it. They are fixed sentences, which tell nothing of whom they were said
to; what carries a name, a number or a place of one person never is.
"""

from __future__ import annotations

from collections.abc import Sequence

from flows.findrisc import RANGES
from flows.menu import CALLING, LANGUAGES_OFFERED
from flows.render_voice import Utterance, press
from services.screening.findrisc import ONE_IN
from services.screening.referral import Destination
from services.settings import Settings

_EVERY = (
    "voice-wait",
    "voice-zero",
    "voice-hash",
    "ask-call-options",
    "ask-language-voice",
    "connecting",
    "goodbye",
)
_EVERY_CHOICE = (
    ("menu-option-repeat", "menu-option-slower", "menu-option-language", "menu-option-person"),
    ("menu-option-repeat", "menu-option-faster"),
    tuple(f"language-{language}" for language in LANGUAGES_OFFERED),
)
_RESULT = (
    "call-ready",
    "ask-result-code-voice",
    "ask-again-voice",
    "error-code",
    "code-unknown",
    "code-help",
    "result-rescreen",
    "result-waiting",
    "result-locked",
    "result-withdrawn",
)
_AGAIN = ("ask-again-repeat", "ask-again-end")
_RISK = (
    "ask-call-menu",
    "ask-risk-consent",
    "risk-declined",
    "ask-risk-diabetes",
    "ask-risk-age",
    "ask-risk-sex",
    "ask-risk-height",
    "ask-risk-weight",
    "risk-check-measures",
    "ask-risk-waist",
    "ask-risk-active",
    "ask-risk-greens",
    "ask-risk-medicine",
    "ask-risk-glucose",
    "ask-risk-family",
    "ask-risk-hear",
    "risk-no-test",
    "risk-eyes",
    "ask-resume",
)
_RISK_CHOICES = (
    tuple(f"menu-{key}" for key in CALLING),
    ("resume-continue", "resume-again"),
    ("answer-yes", "answer-no"),
    ("ask-sex-female", "ask-sex-male"),
    ("ask-risk-family-none", "ask-risk-family-far", "ask-risk-family-near"),
)
_VISIT = (
    "ask-visit-code-voice",
    "ask-visit",
    "ask-visit-reason",
    "visit-yes",
    "visit-not-yet",
    "visit-cannot",
    "visit-none",
    "visit-locked",
    "visit-withdrawn",
)
_CLINIC = ("ask-follow-up", "follow-up-coming", "follow-up-declined")
_VISIT_CHOICES = (
    ("answer-yes", "answer-not-yet", "answer-cannot"),
    ("answer-money", "answer-distance", "answer-afraid", "answer-other"),
)


def about_results(to: Destination) -> list[Utterance]:
    """What a call about a result may say, where referred patients are sent `to`."""
    found = [Utterance(message) for message in (*_EVERY, *_RESULT)]
    found += [Utterance(message, {"place": to.place}) for message in ("result-refer", "result-refer-urgent")]
    found += [Utterance(day) for day in to.opening]
    found += [Utterance("error-choice", {"last": last}) for last in (2, 3, 4)]
    return [*found, *(each for labels in (*_EVERY_CHOICE, _AGAIN) for each in _choices(labels))]


def about_risk(settings: Settings) -> list[Utterance]:
    """What a call that begins with a menu may say besides, through the risk questions to their answer."""
    found = [Utterance(message) for message in _RISK]
    found += [Utterance(message, {"clinic": settings.clinic}) for message in ("risk-not-for-you", "risk-test")]
    found += [Utterance(f"risk-{category}") for category in ONE_IN]
    found.append(Utterance("error-choice", {"last": len(CALLING)}))
    for name, (low, high) in RANGES.items():
        found.append(
            Utterance("error-number" if name == "age" else "error-number-optional", {"low": low, "high": high})
        )
    return found + [each for labels in _RISK_CHOICES for each in _choices(labels)]


def about_visits(settings: Settings) -> list[Utterance]:
    """What a call that begins with a menu may say besides, about a visit that is waited for."""
    found = [Utterance(message) for message in _VISIT]
    found += [Utterance(message, {"clinic": settings.clinic}) for message in _CLINIC]
    return found + [each for labels in _VISIT_CHOICES for each in _choices(labels)]


def repertoire(settings: Settings, to: Destination) -> list[Utterance]:
    """Everything, each once."""
    found: list[Utterance] = []
    for each in about_results(to) + about_risk(settings) + about_visits(settings):
        if each not in found:
            found.append(each)
    return found


def _choices(labels: Sequence[str]) -> list[Utterance]:
    return [press(label, key) for key, label in enumerate(labels, 1)]
