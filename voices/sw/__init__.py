"""Kiswahili, with the rules of espeak-ng's `sw` and the sounds of an English voice.

espeak emits four symbols that the voice never saw in training (`r ɟ ɲ ɣ`): each is replaced by a trained one, and
vowels are lengthened, without which they come out reduced as in English. For r that is the English ɹ, not the tap ɾ:
Americans tap their t and d, so that a tap is heard as d (waziri as "wazidi"); Kiswahili tells r from d (ruka, duka).
"""

from __future__ import annotations

import re
from pathlib import Path

from voices.voice import Voice, espeak, read_lexicon, remap, respell

_LEXICON = read_lexicon(Path(__file__).with_name("lexicon.tsv"))
_SYMBOLS = {
    "r": "ɹ",
    "ɟ": "dʒ",
    "ɲ": "nj",
    "ɣ": "ɡ",
    "x": "h",
    "a": "aː",
    "e": "ɛ",
    "o": "oː",
    "i": "iː",
    "u": "uː",
}


def phonemes(text: str) -> list[str]:
    """The symbols of each sentence."""
    # espeak spells a word in capitals (RUFAA, NG'OMBE) letter by letter; only short ones are abbreviations.
    text = re.sub(r"\b[A-Z][A-Z']{3,}", lambda word: word[0].lower(), respell(text, _LEXICON))
    # espeak reads ng' right inside a word ("Wang'i") and wrong at its beginning ("ng'ombe"). It reads x as "ks", which
    # begins no Kiswahili word, so that it can stand for the sound.
    marked = re.sub(r"\bng'(?=\w)", "x", text, flags=re.IGNORECASE)
    return [remap(_mend(sentence), _SYMBOLS) for sentence in espeak("sw", marked)]


def _mend(sentence: str) -> str:
    # ny + j is one nasal on one stop (mgonjwa), not ny and a stop.
    sentence = sentence.replace("ɲɟ", "nɟ").replace("ɲtʃ", "ntʃ")
    # kh is one sound (Khamis), which most speakers say as h.
    sentence = sentence.replace("kh", "h")
    sentence = re.sub(r"(?:(?<=\s)|^)([ˈˌ]?)ks", r"\1ŋ", sentence)
    # A name that ends in "ng" (Achieng, Ochieng) ends in the velar nasal alone.
    return re.sub(r"ŋɡ(?=[\s.,;:!?]|$)", "ŋ", sentence)


VOICE = Voice("sw", "2", phonemes)
