"""A sentence's symbols to its sound: the Piper voice, on one thread, in bounded memory."""

from __future__ import annotations

import ctypes
import json
import logging
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from services.speech.audio import Samples, for_telephone
from services.speech.installed import CONFIG, MODEL
from voices.trained import trained_symbols
from voices.voice import Voice

logging.getLogger("piper").setLevel(logging.ERROR)


class SpeechError(Exception):
    """Something cannot be said; the text tells why, and nothing of what was to be said."""


def synthesise(voice: Voice, symbols: str) -> Samples:
    """The sound of `symbols`, 16-bit at 8 kHz. Raises SpeechError for a symbol that the voice was not trained on."""
    from piper import SynthesisConfig

    piper, trained = _loaded(voice)
    # Piper would log and drop a symbol it does not know, and make noise of one it never heard.
    unknown = sorted(set(symbols) - trained)
    if unknown:
        raise SpeechError(f"the voice was not trained on {' '.join(unknown)}")
    scales = SynthesisConfig(
        length_scale=voice.length_scale, noise_scale=voice.noise_scale, noise_w_scale=voice.noise_w_scale
    )
    sound = piper.phoneme_ids_to_audio(piper.phonemes_to_ids(list(symbols)), scales)
    samples = for_telephone(np.asarray(sound, np.float32), piper.config.sample_rate)
    _give_memory_back()
    return samples


def is_installed(voice: Voice) -> bool:
    """Whether the voice's package and its model are here."""
    try:
        model, _ = _files(voice.package, voice.folder)
    except ImportError:
        return False
    return bool(model.is_file())


def _files(package: str, folder: Path | None) -> tuple[Path, Path]:
    """The model and its configuration. Raises ImportError."""
    if folder is not None:
        return folder / MODEL, folder / CONFIG
    files = import_module(package)
    return files.model_path(), files.config_path()


def _loaded(voice: Voice) -> tuple[Any, frozenset[str]]:
    """The voice and the symbols it was trained on. Raises SpeechError."""
    try:
        model, settings = _files(voice.package, voice.folder)
        files = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in (model, settings))
    except ImportError:
        raise SpeechError(
            f"the voice package {voice.package} is not installed: pip install -r requirements.txt"
        ) from None
    except OSError as error:
        raise SpeechError(f"the voice {voice.package} cannot be loaded: {error}") from None
    return _piper(voice.package, *files)


@lru_cache(maxsize=2)
def _piper(
    package: str, model_file: tuple[Path, int, int], config_file: tuple[Path, int, int]
) -> tuple[Any, frozenset[str]]:
    """Loaded once a process, while its files (path, time of change in ns, size) stay as they are: another voice may be
    installed under the name of one that speaks already. Raises SpeechError.

    `PiperVoice.load` would take every core; one thread costs a third less CPU.
    """
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    model, settings = model_file[0], config_file[0]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena keeps the memory of the longest sentence ever said; without it a worker stays small.
    options.enable_cpu_mem_arena = False
    try:
        config = PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8")))
        trained = trained_symbols(model, config.phoneme_id_map)
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a damaged file fails in as many ways as there are readers of it
        raise SpeechError(f"the voice {package} cannot be loaded: {error}") from error
    return PiperVoice(session=session, config=config), trained


def _give_memory_back() -> None:
    """glibc keeps what a sentence needed, some 200 MB; a small server has other uses for it."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _malloc_trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
