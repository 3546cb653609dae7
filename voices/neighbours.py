"""What can stand for a sound that a voice never learned: its nearest phonetic neighbours, the nearest first.

A neighbour shares manner and voicing before place for consonants, height before backness for vowels; where no single
symbol is near, two in a row are (a palatal nasal is n and a glide). Marks of stress, length and tone can be left out:
the sound stays. After the IPA chart (International Phonetic Association, 2020) and the symbols of espeak-ng.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    # consonants
    # The tap is nearer, but a voice that learned ɹ too learned English, and its tap is a t or d between vowels: there ɹ
    # was understood better (mean error 0.29–0.32, tap 0.335; decision 12). A voice of Spanish has the tap alone.
    "r": ("ɹ", "ɾ", "ʁ", "l"),
    "ɾ": ("r", "ɹ", "d", "l"),
    "ɹ": ("r", "ɾ", "ʁ", "l"),
    "ʁ": ("r", "ɹ", "ɾ"),
    "ɲ": ("nj", "n"),
    "ŋ": ("n",),
    "ɟ": ("dʒ", "dj", "d"),
    "c": ("tʃ", "tj", "k"),
    "ʃ": ("ɕ", "ʂ", "s"),
    "ʒ": ("ʑ", "ʐ", "z", "ʃ"),
    "ɣ": ("ɡ", "x"),
    "x": ("χ", "h", "k"),
    "χ": ("x", "h", "k"),
    "h": ("ɦ", "x"),
    "ɦ": ("h",),
    "θ": ("t", "s"),
    "ð": ("d", "z"),
    "v": ("ʋ", "β", "f", "w"),
    "ʋ": ("v", "w"),
    "β": ("v", "b"),
    "f": ("ɸ", "v"),
    "w": ("ʋ", "u", "v"),
    "j": ("ʝ", "i"),
    "z": ("s",),
    "ɡ": ("g", "k"),
    "g": ("ɡ", "k"),
    "b": ("ɓ", "p"),
    "ɓ": ("b",),
    "d": ("ɗ", "t"),
    "ɗ": ("d",),
    "l": ("ɫ", "ɾ"),
    "ɫ": ("l",),
    "ʔ": ("",),
    # vowels
    "a": ("ɑ", "æ", "ɐ", "ʌ"),
    "ɑ": ("a", "ɐ", "ʌ"),
    "æ": ("a", "ɛ"),
    "ɐ": ("a", "ʌ", "ə", "ɑ"),
    "ʌ": ("ɐ", "a", "ə"),
    "ə": ("ɐ", "ʌ", "ɛ", "a"),
    "ɚ": ("əɹ", "ɜ", "ər", "ə", "ɛr"),
    "ɜ": ("ə", "ø", "ɛ", "e"),
    "ᵻ": ("ɪ", "ɨ", "i"),
    "ɨ": ("ɪ", "i"),
    "e": ("ɛ", "ɪ"),
    "ɛ": ("e", "æ"),
    "ɪ": ("i",),
    "i": ("ɪ",),
    "o": ("ɔ", "ʊ"),
    "ɔ": ("o", "ɒ"),
    "ɒ": ("ɔ", "o", "ɑ"),
    "ʊ": ("u",),
    "u": ("ʊ",),
    # marks
    "ˈ": ("",),
    "ˌ": ("",),
    "ː": ("ˑ", ""),
    "ˑ": ("",),
    "ʲ": ("",),
    "̩": ("",),
    "̪": ("",),
    "̃": ("",),
}
PAUSES = frozenset(" .,;:!?")


def neighbours(missing: Iterable[str], trained: frozenset[str]) -> dict[str, str]:
    """What stands for each missing symbol. A symbol for which there is nothing is left out."""
    found = {}
    for symbol in sorted(missing):
        candidates = NEIGHBOURS.get(symbol, ())
        nearest = next((each for each in candidates if trained.issuperset(each)), None)
        if nearest is not None:
            found[symbol] = nearest
    return found
