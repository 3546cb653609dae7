"""What can be known of spoken Dholuo without a listener: that no sound is lost on the way to the voice, and that words
which differ in one sound differ in what a telephone carries.

    python -m voices.lab.dholuo --times 6

Prints JSON. Whether a person tells the words apart is not known: no listener has judged them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, pstdev

from flows.catalogue import messages
from voices import voice_for
from voices.lab.hearing import Features, apart, features, speech
from voices.lab.speakers import piper, telephoned
from voices.luo.g2p import VOICE_SYMBOLS
from voices.voice import Voice

STATEMENT = "No listener has judged this speech: the figures say that sounds differ, not that they are understood."
# Words, or syllables that could be words, which differ in one sound.
CONTRASTS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "t/th": (("to", "tho"), ("tum", "thum"), ("kot", "koth")),
    "d/dh": (("de", "dhe"), ("dak", "dhak"), ("kode", "kodhe")),
    "n/ng'/ny": (("nato", "ng'ato", "nyato"), ("nalo", "ng'alo", "nyalo"), ("kano", "kang'o", "kanyo")),
    "mb/b": (("mbaka", "baka"), ("obo", "ombo"), ("mbuta", "buta")),
}
# How loud a word comes out varies from one time to the next; of the cepstra, the first is that.
_LOUDNESS_WEIGHT = 0.2
SEPARABLE = 0.95  # of the recordings are nearest to another of their own word
# The dental stops, by what stands for them until the end.
_DENTALS = {"θ": "t̪", "ð": "d̪"}


@dataclass(frozen=True)
class Separation:
    """`nearest` is the share of recordings whose nearest neighbour is of the same word (leaving each out in turn);
    `margin` the distance between words less that within them, in deviations of the latter."""

    words: tuple[str, ...]
    nearest: float
    margin: float

    @property
    def separable(self) -> bool:
        return self.nearest >= SEPARABLE


def separation(voice: Voice, words: Sequence[str], times: int) -> Separation:
    """Says each word `times` times, with the voice's own variation, as a call carries it, and compares all of them."""
    said = [(word, _heard(voice, word)) for word in words for _ in range(times)]
    return separation_of(said)


def separation_of(said: Sequence[tuple[str, Features]]) -> Separation:
    """The same, of recordings that are there already."""
    distances = {
        (left, right): apart(said[left][1], said[right][1]) for left, right in combinations(range(len(said)), 2)
    }
    within = [each for (left, right), each in distances.items() if said[left][0] == said[right][0]]
    between = [each for (left, right), each in distances.items() if said[left][0] != said[right][0]]
    right_ones = 0
    for number, (word, _) in enumerate(said):
        others = [other for other in range(len(said)) if other != number]
        closest = min(others, key=lambda other: distances[min(number, other), max(number, other)])
        right_ones += said[closest][0] == word
    spread = pstdev(within) or 1e-6
    words = tuple(dict.fromkeys(word for word, _ in said))
    return Separation(words, right_ones / len(said), (mean(between) - mean(within)) / spread)


def round_trip(words: Iterable[str]) -> list[str]:
    """The words whose sounds do not come back from the voice's symbols."""
    voice = voice_for("luo")
    return [word for word in words if ipa_of_symbols("".join(voice.phonemes(word))) != _sounds(voice, word)]


def merged(words: Iterable[str]) -> list[tuple[str, ...]]:
    """Words whose sounds differ in Dholuo and are the same in the voice's symbols."""
    voice = voice_for("luo")
    found: dict[str, dict[str, str]] = {}
    for word in words:
        found.setdefault("".join(voice.phonemes(word)), {}).setdefault(_sounds(voice, word), word)
    return [tuple(sounds.values()) for sounds in found.values() if len(sounds) > 1]


def ipa_of_symbols(symbols: str) -> str:
    """Back from the voice's symbols to Dholuo's sounds. What stands for two sounds is read as the commoner one."""
    back = {symbol: sound for sound, symbol in VOICE_SYMBOLS.items()} | _DENTALS
    pattern = "|".join(sorted(map(re.escape, back), key=len, reverse=True))
    return re.sub(pattern, lambda match: back[match[0]], symbols)


def _sounds(voice: Voice, word: str) -> str:
    sounds = "".join(voice.sounds(word))
    return "".join(_DENTALS.get(sound, sound) for sound in sounds)


def vocabulary() -> list[str]:
    """Every word of the Dholuo catalogue."""
    text = " ".join(re.sub(r"\{\w+\}", " ", sentence) for sentence in messages("luo").values())
    return sorted({word.lower() for word in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?", text)})


def report(times: int) -> dict[str, object]:
    """All of it, as the command prints it."""
    voice = voice_for("luo")
    words = vocabulary()
    return {
        "listener": STATEMENT,
        "round_trip": {"words": len(words), "lost": round_trip(words)},
        "merged": merged(words),
        "times": times,
        "contrasts": {name: _contrast(voice, pairs, times) for name, pairs in CONTRASTS.items()},
    }


def _contrast(voice: Voice, pairs: Sequence[tuple[str, ...]], times: int) -> dict[str, object]:
    found = [separation(voice, words, times) for words in pairs]
    return {
        "separable": all(each.separable for each in found),
        "words": {" ".join(each.words): [round(each.nearest, 3), round(each.margin, 2)] for each in found},
    }


def _heard(voice: Voice, word: str) -> Features:
    samples, rate = telephoned(piper(voice, word))
    cepstra = features(speech(samples, rate), rate)
    cepstra[:, 0] *= _LOUDNESS_WEIGHT
    return cepstra


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m voices.lab.dholuo", description=__doc__)
    parser.add_argument("--times", type=int, default=6, help="how often each word is said")
    print(json.dumps(report(parser.parse_args(arguments).times), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
