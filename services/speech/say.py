"""Text in, telephone audio out: words, sounds, voice, loudness, format."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from services.speech.audio import Audio, Samples, join
from services.speech.cache import SoundCache, key_of
from services.speech.installed import voice_of
from services.speech.phrasing import phrases
from services.speech.synthesis import SpeechError, is_installed, synthesise
from services.speech.timing import BREATH_S, LEAD_S, PAUSE_S
from services.speech.verbalise import verbalise
from voices import LANGUAGES, voice_for
from voices.voice import Voice

__all__ = ["Audio", "Piece", "SpeechError", "languages", "speak"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Piece:
    """A part of a message, and the silence behind it. Where there is a `recording` of it, that is played.

    A private one (a name, a number, a result) never enters the cache that all calls share.
    """

    text: str
    private: bool = False
    recording: Samples | None = None
    pause_s: float = PAUSE_S


def languages() -> tuple[str, ...]:
    """The languages that have a voice here."""
    return tuple(language for language in LANGUAGES if is_installed(voice_for(language)))


def speak(
    language: str,
    pieces: Sequence[Piece],
    *,
    cache_dir: Path | None,
    voices_dir: Path | None = None,
    slowness: float = 1,
    lead_s: float = LEAD_S,
) -> Audio:
    """Says the pieces one after the other, with the voice that the site chose in `voices_dir` or the language's own.

    `slowness` lengthens speech and pauses. Raises SpeechError.
    """
    if language not in LANGUAGES:
        raise SpeechError(f"no voice speaks {language!r}: there are {', '.join(LANGUAGES)}")
    try:
        voice = voice_of(language, voices_dir)
    except ValueError as error:
        raise SpeechError(str(error)) from None
    voice = replace(voice, length_scale=voice.length_scale * slowness)
    sounds: list[tuple[Samples, float]] = []
    for piece in pieces:
        if piece.recording is not None:
            sounds.append((piece.recording, piece.pause_s))
            continue
        cache = None if piece.private or cache_dir is None else SoundCache(cache_dir)
        for sentence in voice.phonemes(verbalise(language, piece.text)):
            *breaths, last = phrases(sentence)
            sounds += [(_sound(voice, breath, cache), BREATH_S) for breath in breaths]
            sounds.append((_sound(voice, last, cache), PAUSE_S))
        if sounds:
            sounds[-1] = (sounds[-1][0], piece.pause_s)
    if not sounds:
        raise SpeechError("there is nothing to say")
    return join([(samples, pause * slowness) for samples, pause in sounds], lead_s=lead_s)


def _sound(voice: Voice, symbols: str, cache: SoundCache | None) -> Samples:
    if cache is None:
        return synthesise(voice, symbols)
    key = key_of(voice, symbols)
    sound = cache.get(key)
    if sound is None:
        sound = synthesise(voice, symbols)
        try:
            cache.put(key, sound)
        except OSError as error:  # a full disk must not silence a call
            _LOG.warning("a spoken sentence could not be kept: %s", error)
    return sound
