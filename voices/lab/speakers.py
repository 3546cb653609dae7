"""Who speaks in the lab: the product's Piper voice as it is before the telephone, and espeak-ng's formant synthesis.

The second shares no sound with the first, so that what is learnt from it says nothing of the voice itself.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.speech.audio import Audio, for_telephone
from services.speech.phrasing import phrases
from services.speech.verbalise import verbalise
from voices.voice import Voice

Wave = tuple[NDArray[np.float32], int]  # samples between -1 and 1, and their rate in hertz

# speak_lib.h: the kind of output (samples through the callback), the character code, and two parameters.
_RETRIEVAL, _UTF8, _SPEED, _PITCH = 1, 1, 1, 3
_NO_EXIT = 0x8000
_RATE = 22_050


def piper(voice: Voice, text: str) -> Wave:
    """What the product says, at the voice's own rate: verbalised, in breaths, with the pauses between them."""
    from piper import SynthesisConfig

    speaker = _speaker(voice.package)
    scales = SynthesisConfig(
        length_scale=voice.length_scale, noise_scale=voice.noise_scale, noise_w_scale=voice.noise_w_scale
    )
    silence = np.zeros(speaker.config.sample_rate // 5, np.float32)
    parts = []
    for sentence in voice.phonemes(verbalise(voice.language, text)):
        for breath in phrases(sentence):
            sound = speaker.phoneme_ids_to_audio(speaker.phonemes_to_ids(list(breath)), scales)
            parts += [np.asarray(sound, np.float32), silence]
    return np.concatenate([silence, *parts]), speaker.config.sample_rate


def formant(language: str, texts: Sequence[str], *, words_a_minute: int = 140, pitch: int = 50) -> list[Wave]:
    """espeak-ng's own synthesis of each text, verbalised as the product does.

    espeak-ng is one per process and the product phonemizes with it, so it speaks in a process of its own.
    """
    spoken = [verbalise(language, text) for text in texts]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_formant, language, spoken, words_a_minute, pitch).result()


def telephoned(wave: Wave) -> Wave:
    """The wave as it leaves the product for a call: 8 kHz, one loudness, µ-law."""
    import io

    import soundfile

    samples, rate = soundfile.read(io.BytesIO(Audio(for_telephone(*wave)).mulaw()), dtype="float32")
    return samples, rate


@lru_cache(maxsize=1)
def _speaker(package: str) -> Any:
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    files = import_module(package)
    # The voice's noise, drawn anew for every sentence, is the same in every run.
    onnxruntime.set_seed(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(files.model_path()), options, providers=["CPUExecutionProvider"])
    config = PiperConfig.from_dict(json.loads(files.config_path().read_text(encoding="utf-8")))
    return PiperVoice(session=session, config=config)


def _formant(language: str, texts: Sequence[str], words_a_minute: int, pitch: int) -> list[Wave]:
    from piper import espeakbridge
    from piper.phonemize_espeak import ESPEAK_DATA_DIR

    library = ctypes.CDLL(espeakbridge.__file__)
    parts: list[NDArray[np.int16]] = []

    def take(samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    # Kept by a name of its own: what espeak calls must not be collected.
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)(take)
    rate = library.espeak_Initialize(_RETRIEVAL, 500, str(ESPEAK_DATA_DIR).encode(), _NO_EXIT)
    library.espeak_SetSynthCallback(callback)
    if rate != _RATE or library.espeak_SetVoiceByName(language.encode()):
        raise RuntimeError(f"espeak-ng cannot speak {language!r}")
    library.espeak_SetParameter(_SPEED, words_a_minute, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    waves: list[Wave] = []
    for text in texts:
        parts.clear()
        content = text.encode() + b"\0"
        library.espeak_Synth(content, ctypes.c_size_t(len(content)), 0, 0, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        waves.append((np.asarray(np.concatenate(parts) / 32768, np.float32), rate))
    return waves
