"""What calls say to everybody: rendered before anybody rings, and what is worth recording first.

The verdicts and the classes of risk are among it. They are fixed sentences, which tell nothing of whom they were said
to; what carries a name, a number or a place of one person never is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.findrisc import RANGES
from flows.menu import LANGUAGES_OFFERED
from flows.open_screening import OLDEST as OLDEST_BORN
from flows.programmes import anyone_menu, calling_menu, offers, worker_menu
from flows.render_voice import Utterance, press
from flows.voice import A_PAGE, KEYS
from services.screening.findrisc import ONE_IN
from services.screening.referral import Destination
from services.screening.symptoms import OLDEST, SYMPTOMS, YOUNGEST
from services.settings import Settings
from services.store.clock import now_ms


@dataclass(frozen=True)
class Subject:
    """What is said about one thing: sentences, those that name the clinic, and choices with their keys."""

    sentences: tuple[str, ...]
    of_clinic: tuple[str, ...] = ()
    menus: tuple[tuple[str, ...], ...] = ()

    def utterances(self, settings: Settings) -> Iterator[Utterance]:
        yield from (Utterance(sentence) for sentence in self.sentences)
        yield from (Utterance(sentence, {"clinic": settings.clinic}) for sentence in self.of_clinic)
        for labels in self.menus:
            for page in _pages(labels):
                yield from (press(label, key) for key, label in enumerate(page, 1))
                yield Utterance("error-choice", {"last": len(page)})


_EVERY = Subject(
    (
        "voice-wait",
        "voice-later",
        "voice-zero",
        "voice-hash",
        "ask-call-options",
        "ask-language-voice",
        "connecting",
        "unanswered",
        "unanswered-told",
        "goodbye",
        "restarted",
    ),
    ("help-visit",),
    (
        ("menu-option-repeat", "menu-option-slower", "menu-option-language", "menu-option-person"),
        ("menu-option-repeat", "menu-option-faster"),
        tuple(f"language-{language}" for language in LANGUAGES_OFFERED),
    ),
)
_RESULT = Subject(
    (
        "call-ready",
        "ask-result-code-voice",
        "ask-again-voice",
        "error-code",
        "code-unknown",
        "code-help",
        "result-reviewed",
        "result-rescreen",
        "result-waiting",
        "result-locked",
        "result-withdrawn",
    ),
    menus=(("ask-again-repeat", "ask-again-end"),),
)
_MENU = Subject(("ask-call-menu", "ask-resume"), menus=(("resume-continue", "resume-again"),))
_RISK = Subject(
    (
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
        *(f"risk-{category}" for category in ONE_IN),
    ),
    ("risk-not-for-you", "risk-test"),
    (
        ("answer-yes", "answer-no"),
        ("ask-sex-female", "ask-sex-male"),
        ("ask-risk-family-none", "ask-risk-family-far", "ask-risk-family-near"),
    ),
)
_VISIT = Subject(
    (
        "visit-asked",
        "ask-visit-code-voice",
        "ask-visit",
        "ask-visit-reason",
        "visit-yes",
        "visit-not-yet",
        "visit-cannot",
        "visit-none",
        "visit-locked",
        "visit-withdrawn",
    ),
    ("call-clinic", "ask-follow-up", "follow-up-coming", "follow-up-declined"),
    (
        ("answer-yes", "answer-not-yet", "answer-cannot"),
        ("answer-money", "answer-distance", "answer-afraid", "answer-other"),
    ),
)
_DATA = Subject(
    (
        "ask-my-data",
        "ask-withdraw-code",
        "withdraw-done",
        "withdraw-stays",
        "withdraw-kept",
        "withdraw-withdrawn",
        "withdraw-locked",
        "ask-erase-risk",
        "risk-erased",
        "ask-calls",
        "calls-on",
        "calls-off",
    ),
    menus=(("menu-data-screening", "menu-data-risk", "menu-data-calls"),),
)
_HELP = Subject(
    ("ask-help", "help-cost", "help-result", "help-risk", "help-data"),
    ("about",),
    (("menu-help-menu", "menu-help-cost", "menu-help-person", "menu-help-about"),),
)
# What was begun elsewhere goes on by call: a menu of messages, and all that a health worker does with it.
_MENUS_OF_MESSAGES = Subject(("ask-menu",))
_WORKER = Subject(
    (
        "ask-sex",
        "ask-birth-year",
        "ask-patient-phone",
        "error-phone-optional",
        "ask-patient-language",
        "ask-consent",
        "consent-declined",
        "ask-urgent",
        "screening-refused",
        "ask-finish-code",
        "finish-waiting",
        "finish-done",
        "finish-locked",
        "finish-withdrawn",
        "ask-symptoms-consent",
        "ask-symptoms-age",
        *(f"ask-symptom-{symptom}" for symptom in SYMPTOMS),
        "ask-risk-consent-worker",
        "ask-lists",
        "lists-none",
        "ask-visit-worker",
        "visit-recorded",
        "help-worker-open",
        "help-worker-result",
        "help-worker-questions",
        "help-worker-lists",
        "ask-photo-code",
        "photo-code-help",
    ),
    menus=(("menu-lists-pending", "menu-lists-recent"), ("eye-left", "eye-right")),
)


def about_results(settings: Settings, to: Destination) -> list[Utterance]:
    """What a call about a result may say, where referred patients are sent `to`."""
    verdicts = [Utterance(message, {"place": to.place}) for message in ("result-refer", "result-refer-urgent")]
    verdicts.append(Utterance("result-retake", {"clinic": settings.clinic}))
    verdicts += [Utterance(day) for day in to.opening]
    return _once([*_said_about(settings, _EVERY, _RESULT), *verdicts])


def about_risk_and_visits(settings: Settings) -> list[Utterance]:
    """What a call that begins with a menu may say besides, through the risk questions or those about a visit."""
    refused = [
        Utterance("error-number" if name == "age" else "error-number-optional", {"low": low, "high": high})
        for name, (low, high) in RANGES.items()
    ]
    return _once([*_said_about(settings, _menu_of(calling_menu()), _MENU, _RISK, _VISIT), *refused])


def about_visits(settings: Settings) -> list[Utterance]:
    """What a call in place of a reminder may say besides."""
    return _once(_said_about(settings, _VISIT))


def repertoire(settings: Settings, to: Destination) -> list[Utterance]:
    """Everything, each once, what is said most first."""
    menus = (_menu_of(anyone_menu()), _menu_of(worker_menu()))
    of_programmes = [Subject(offer.spoken, menus=offer.menus) for offer in offers().values()]
    rest = list(_said_about(settings, _DATA, _HELP, _MENUS_OF_MESSAGES, *menus, _WORKER, *of_programmes))
    if settings.voice_on_incoming == "call-back":
        rest.append(Utterance("help-cost-ring", {"phone": settings.at_voice_number}))
    this_year = datetime.fromtimestamp(now_ms() / 1000, UTC).year
    rest += [
        Utterance("error-number", {"low": low, "high": high})
        for low, high in ((OLDEST_BORN, this_year), (YOUNGEST, OLDEST))
    ]
    return _once([*about_results(settings, to), *about_risk_and_visits(settings), *rest])


def _menu_of(keys: Iterable[str]) -> Subject:
    return Subject((), menus=(tuple(f"menu-{key}" for key in keys),))


def _said_about(settings: Settings, *subjects: Subject) -> Iterator[Utterance]:
    for subject in subjects:
        yield from subject.utterances(settings)


def _pages(labels: Sequence[str]) -> list[tuple[str, ...]]:
    """As a call says them: more choices than keys come on pages, with a key for more."""
    if len(labels) <= KEYS:
        return [tuple(labels)]
    return [(*labels[start : start + A_PAGE], "voice-more") for start in range(0, len(labels), A_PAGE)]


def _once(said: Iterable[Utterance]) -> list[Utterance]:
    found: list[Utterance] = []
    for each in said:
        if each not in found:
            found.append(each)
    return found
