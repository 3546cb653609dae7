"""Whether a Piper voice can say a language: what it never learned is replaced by its nearest neighbour, or the voice is
refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from services.speech.installed import MODEL, BadVoice, Choice, read_config, speaking
from services.speech.numbers import words_of_numbers
from services.speech.phrasing import phrases
from services.speech.synthesis import SpeechError, synthesise
from services.speech.timing import RATE
from services.speech.verbalise import verbalise
from voices import voice_for
from voices.neighbours import PAUSES, neighbours
from voices.trained import trained_symbols

_LEAST_LOUDNESS = 500  # root mean square of 16-bit samples; speech here has some 2900
_SYMBOLS_A_SECOND = (4, 40)


def fit(folder: Path, name: str, language: str, texts: Iterable[str]) -> Choice:
    """How the voice in `folder` says `language`, of which `texts` are the messages.

    Raises BadVoice: it would drop a sound that the messages need, its two files do not belong together, or what it
    says is no speech.
    """
    config = read_config(folder)
    try:
        trained = trained_symbols(folder / MODEL, config["ids"])
    except ValueError as error:
        raise BadVoice(f"the model cannot be used: {error}") from None
    own = voice_for(language)
    spoken = own.phonemes if config["english"] else own.sounds
    said = [verbalise(language, text) for text in (*texts, " ".join(words_of_numbers(language)))]
    needed = {symbol for words in said for sentence in spoken(words) for symbol in sentence}
    missing = needed - trained
    remap = neighbours(missing, trained) | {symbol: " " for symbol in missing & PAUSES if " " in trained}
    lost = sorted(missing - remap.keys())
    if lost:
        raise BadVoice(
            f"this voice was never trained on {' '.join(lost)} and has nothing near: {language} would lose sounds"
        )
    choice = Choice(name, config["english"], remap)
    _listen(folder, choice, language, said[0])
    return choice


def _listen(folder: Path, choice: Choice, language: str, words: str) -> None:
    """Has the voice say something: a model that does not fit its configuration fails, or hums."""
    voice = speaking(voice_for(language), folder, choice)
    symbols = phrases(voice.phonemes(words)[0])[0]
    try:
        sound = synthesise(voice, symbols)
    except SpeechError as error:
        raise BadVoice(str(error)) from None
    except Exception as error:  # ONNX Runtime has an error of its own for each thing that can be wrong with a graph
        raise BadVoice(f"the model does not run: {error}") from None
    loudness = float(np.sqrt(np.mean(np.square(sound.astype(np.float64))))) if len(sound) else 0.0
    least, most = _SYMBOLS_A_SECOND
    pace = len(symbols) * RATE / max(len(sound), 1)
    if loudness < _LEAST_LOUDNESS or not least <= pace <= most:
        raise BadVoice(f"what it says is no speech: {pace:.0f} symbols a second, at a loudness of {loudness:.0f}")
