"""The speech worker's jobs: sentences become audio, and a call is placed when all it needs can be played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from flows.catalogue import LANGUAGES, messages, text
from flows.findrisc import RANGES
from services import runtime
from services.calls.clips import ensure, key_of, path_of
from services.durable import write_durably
from services.messaging.outbox import deliver
from services.runtime import Runtime
from services.screening.findrisc import ONE_IN
from services.screening.risk import RISK_CALL
from services.settings import Settings
from services.speech.say import Piece, speak
from services.store.tables import clip, message

_FIXED = (
    "voice-wait",
    "ask-result-code-voice",
    "ask-again-voice",
    "error-code",
    "code-unknown",
    "code-help",
    "result-waiting",
    "result-locked",
    "goodbye",
)
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
    "voice-hash",
)
_RISK_CHOICES = (
    ("menu-result", "menu-risk"),
    ("answer-yes", "answer-no"),
    ("ask-sex-female", "ask-sex-male"),
    ("ask-risk-family-none", "ask-risk-family-far", "ask-risk-family-near"),
)


def warm() -> None:
    """Loads the voice, and asks for every sentence that any call may need, so that no caller waits for one."""
    site = runtime.current()
    speak(site.settings.language, [Piece(text(site.settings.language, "goodbye"))], cache_dir=None)
    with site.db.write() as tx:
        for language in dict.fromkeys((site.settings.language, *LANGUAGES)):
            said = fixed_sentences(site.settings, language) + risk_sentences(site.settings, language)
            ensure(tx, language, [(words, False) for words in said])


def fixed_sentences(settings: Settings, language: str) -> list[str]:
    """What calls about a result say to everybody: the verdicts too, which tell nothing of whom they were said to."""
    place = {"place": settings.place}
    found = [text(language, message_id) for message_id in _FIXED]
    found += [text(language, f"result-{outcome}", **place) for outcome in ("refer", "rescreen")]
    found.append(text(language, "error-choice", last=2))
    return found + _choices(language, ("ask-again-repeat", "ask-again-end"))


def risk_sentences(settings: Settings, language: str) -> list[str]:
    """What calls with the risk questions say besides: every class too, which tells nothing of whom it was said to."""
    found = [text(language, message_id) for message_id in _RISK]
    found += [text(language, message_id, clinic=settings.clinic) for message_id in ("risk-not-for-you", "risk-test")]
    found += [text(language, f"risk-{category}") for category in ONE_IN]
    found.append(text(language, "error-choice", last=3))
    for name, (low, high) in RANGES.items():
        found.append(text(language, "error-number" if name == "age" else "error-number-optional", low=low, high=high))
    return found + [each for labels in _RISK_CHOICES for each in _choices(language, labels)]


def _choices(language: str, labels: Sequence[str]) -> list[str]:
    return [
        text(language, "voice-press", choice=messages(language)[label], key=key) for key, label in enumerate(labels, 1)
    ]


def render_clip(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Synthesises the sentence `argument["key"]`. Raises SpeechError."""
    with site.db.read() as tx:
        row = tx.execute(sa.select(clip).where(clip.c.key == argument["key"])).first()
    if row is not None:
        _render(site, row)


def prepare_call(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Synthesises what the call `argument["message_id"]` will say, then asks for it to be placed.

    Raises SpeechError.
    """
    message_id = int(argument["message_id"])
    with site.db.write() as tx:
        row = tx.execute(sa.select(message.c.language, message.c.purpose).where(message.c.id == message_id)).one()
        said = fixed_sentences(site.settings, row.language)
        if row.purpose in (RISK_CALL, "call-back"):
            said += risk_sentences(site.settings, row.language)
        ensure(tx, row.language, [(words, False) for words in said])
        keys = [key_of(row.language, words) for words in said]
        wanted = tx.execute(sa.select(clip).where(clip.c.state == "wanted", clip.c.key.in_(keys))).all()
    for each in wanted:
        _render(site, each)
    with site.db.write() as tx:
        deliver(tx, message_id)


def _render(site: Runtime, row: Any) -> None:
    path = path_of(site.clips_dir, row.key)
    if row.state == "ready" and path.exists():
        return
    cache = None if row.private else site.settings.data_dir / "speech-cache"
    audio = speak(row.language, [Piece(row.text, private=row.private)], cache_dir=cache)
    write_durably(path, audio.wav())
    with site.db.write() as tx:
        tx.execute(clip.update().where(clip.c.key == row.key).values(state="ready"))
