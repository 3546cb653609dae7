"""Text in, telephone audio out: words, sounds, voice, loudness, format."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from services.speech.audio import Audio, Samples, for_telephone, join
from services.speech.cache import SoundCache, key_of
from services.speech.verbalise import verbalise
from voices import LANGUAGES, voice_for
from voices.trained import trained_symbols
from voices.voice import Voice

__all__ = ["Audio", "Piece", "SpeechError", "languages", "speak"]

_LOG = logging.getLogger(__name__)
logging.getLogger("piper").setLevel(logging.ERROR)


class SpeechError(Exception):
    """Something cannot be said; the text tells why."""


@dataclass(frozen=True)
class Piece:
    """A part of a message. A private one (a name, a number, a result) never enters the cache that all calls share."""

    text: str
    private: bool = False


def languages() -> tuple[str, ...]:
    """The languages that have a voice here."""
    return tuple(language for language in LANGUAGES if _has_voice(voice_for(language)))


def speak(language: str, pieces: Sequence[Piece], *, cache_dir: Path | None) -> Audio:
    """Says the pieces one after the other. Raises SpeechError."""
    if language not in LANGUAGES:
        raise SpeechError(f"no voice speaks {language!r}: there are {', '.join(LANGUAGES)}")
    voice = voice_for(language)
    sounds: list[Samples] = []
    for piece in pieces:
        for symbols in voice.phonemes(verbalise(language, piece.text)):
            cache = None if piece.private or cache_dir is None else SoundCache(cache_dir)
            sounds.append(_sentence(voice, symbols, cache))
    if not sounds:
        raise SpeechError("there is nothing to say")
    return join(sounds)


def synthesise(voice: Voice, symbols: str) -> Samples:
    """One sentence's sound, from the symbols of the voice. Raises SpeechError for a symbol it was not trained on."""
    from piper import SynthesisConfig

    piper, trained = _piper(voice.package)
    # Piper would log and drop a symbol it does not know, and make noise of one it never heard.
    unknown = sorted(set(symbols) - trained)
    if unknown:
        raise SpeechError(f"the voice was not trained on {' '.join(unknown)} in {symbols!r}")
    scales = SynthesisConfig(
        length_scale=voice.length_scale, noise_scale=voice.noise_scale, noise_w_scale=voice.noise_w_scale
    )
    sound = piper.phoneme_ids_to_audio(piper.phonemes_to_ids(list(symbols)), scales)
    return for_telephone(np.asarray(sound, np.float32), piper.config.sample_rate)


def _sentence(voice: Voice, symbols: str, cache: SoundCache | None) -> Samples:
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


def _has_voice(voice: Voice) -> bool:
    try:
        return bool(import_module(voice.package).model_path().is_file())
    except ImportError:
        return False


@lru_cache(maxsize=2)
def _piper(package: str) -> tuple[Any, frozenset[str]]:
    """The voice and the symbols it was trained on, loaded once a process.

    `PiperVoice.load` would take every core; one thread costs a third less CPU. Raises SpeechError.
    """
    import json

    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    try:
        files = import_module(package)
    except ImportError:
        raise SpeechError(f"the voice package {package} is not installed: pip install -r requirements.txt") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena keeps the memory of the longest sentence ever said; without it a worker stays small.
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(files.model_path()), options, providers=["CPUExecutionProvider"])
    config = PiperConfig.from_dict(json.loads(files.config_path().read_text()))
    return PiperVoice(session=session, config=config), trained_symbols(files.model_path(), config.phoneme_id_map)
