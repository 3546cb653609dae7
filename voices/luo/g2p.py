"""Dholuo writing to IPA, and IPA to the symbols of the voice.

The orthography is nearly phonemic (grammars agree): `th dh` are dental stops, `ch j` palatal, `mb nd ndh nj ng`
prenasalised, `ng'` the velar nasal, `ny` the palatal one, `y` the glide; i and u before a vowel are glides. Five
letters stand for nine vowels in two harmony sets, and tone is not written: some homographs cannot be told apart.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from voices.voice import read_lexicon, respell

_LEXICON = read_lexicon(Path(__file__).with_name("lexicon.tsv"))
_VOWELS = "aeiou"
# Longest first. T and D stand for the dental stops t̪ and d̪, so that one symbol is one sound.
_GRAPHEMES = (
    ("ng'", "ŋ"),
    ("ndh", "nD"),
    ("nj", "nɟ"),
    ("ny", "ɲ"),
    ("ng", "ŋɡ"),
    ("ch", "c"),
    ("th", "T"),
    ("dh", "D"),
    ("sh", "ʃ"),
    ("kh", "h"),
    ("gh", "ɡ"),
    ("ph", "f"),
    ("j", "ɟ"),
    ("y", "j"),
    ("g", "ɡ"),
    ("c", "k"),
    ("q", "k"),
    ("x", "ks"),
)
_DENTALS = {"T": "t̪", "D": "d̪"}

VOICE_SYMBOLS = {
    # The voice has no dental stops; its dental fricatives keep them apart from t and d, which matters more.
    "c": "tʃ",
    "ɟ": "dʒ",
    "ɲ": "nj",
    # Its tap is an English t or d; see voices/sw.
    "r": "ɹ",
    "a": "aː",
    "e": "ɛ",
    "o": "oː",
    "i": "iː",
    "u": "uː",
}


def ipa_of_word(word: str) -> str:
    """One word in IPA, with its stress: `ipa_of_word("thuolo")` is `t̪wˈolo`."""
    return "".join(_DENTALS.get(symbol, symbol) for symbol in _sounds(word))


def ipa_of_text(text: str) -> list[str]:
    """The sounds of each sentence, T and D for the dental stops; punctuation is kept as pauses."""
    plain = respell(text, _LEXICON)
    sentences = []
    for sentence in re.findall(r"[^.!?]+[.!?]?", plain):
        pieces = re.findall(r"[^\W\d_']+(?:'?[^\W\d_]+)*'?|[.,;:!?]", sentence)
        spoken = "".join(piece if piece in ".,;:!?" else f" {_sounds(piece)}" for piece in pieces)
        if spoken.strip(" .,;:!?"):
            sentences.append(spoken.strip())
    return sentences


def _sounds(word: str) -> str:
    letters = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
    letters = re.sub(r"ng$", "ng'", letters)  # a final "ng" is the nasal alone: Achieng
    letters = re.sub(r"(?<=[^aeiouny])y(?![aeiou])", "i", letters)  # loans and English names: clergy, Kennedy
    sounds, position = "", 0
    while position < len(letters):
        grapheme, sound = next(
            (pair for pair in _GRAPHEMES if letters.startswith(pair[0], position)), (letters[position],) * 2
        )
        sounds += sound if sound != "'" else ""
        position += len(grapheme)
    sounds = re.sub(r"([^aeiou])\1", r"\1", sounds)  # names write some consonants twice; Dholuo has no long ones
    # i and u glide before another vowel, unless a glide or ny stands there already (yier, nyiewo).
    sounds = re.sub(r"(?<=[^aeioujɲ])i(?=[aeou])", "j", sounds)
    sounds = re.sub(r"(?<=[^aeiouw])u(?=[aeio])", "w", sounds)
    return _stress(sounds)


def _stress(sounds: str) -> str:
    """A stress on the last vowel but one, where the voice needs one to keep its rhythm."""
    nuclei = [position for position, sound in enumerate(sounds) if sound in _VOWELS]
    if not nuclei:
        return sounds
    place = nuclei[-2] if len(nuclei) > 1 else nuclei[0]
    return f"{sounds[:place]}ˈ{sounds[place:]}"
