"""What speech costs, on one thread."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from services.speech.say import Piece, speak

_SENTENCES = (
    "Habari. Hii ni Jicho. Majibu ya uchunguzi wa macho yako yako tayari.",
    "Uchunguzi umeonyesha dalili ambazo daktari wa macho anapaswa kuziangalia.",
    "Tafadhali nenda kliniki ya macho hivi karibuni.",
    "Hakuna dalili zilizopatikana zinazohitaji daktari sasa.",
    "Chunguzwa macho tena baada ya miezi kumi na miwili, au mapema zaidi ukiona mabadiliko.",
)


def bench() -> dict[str, Any]:
    """`cached_ms` (joined and encoded), `cpu_s_per_audio_s` (new speech), `first_audio_s` (a new result),
    `rss_mb` (afterwards), `peak_rss_mb`.
    """
    import resource

    import psutil

    speak("sw", [Piece("Karibu.")], cache_dir=None)  # loading is the worker's, once
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        message = [Piece(sentence) for sentence in _SENTENCES]
        cpu, began = time.process_time(), time.perf_counter()
        audio = speak("sw", message, cache_dir=cache)
        cpu, took = time.process_time() - cpu, time.perf_counter() - began
        cached = []
        for _ in range(9):
            began = time.perf_counter()
            speak("sw", message, cache_dir=cache).wav()
            cached.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        speak("sw", [Piece(_SENTENCES[1], private=True), Piece(_SENTENCES[2], private=True)], cache_dir=cache).wav()
        first = time.perf_counter() - began
    return {
        "cached_ms": round(statistics.median(cached), 2),
        "cpu_s_per_audio_s": round(cpu / audio.seconds, 4),
        "wall_s_per_audio_s": round(took / audio.seconds, 4),
        "first_audio_s": round(first, 3),
        "rss_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10, 1),
        "audio_s": round(audio.seconds, 2),
        "sentences": len(_SENTENCES),
    }
