"""Long sentences in breaths: what one sentence costs in memory, and how long a caller waits for it, has a bound."""

from __future__ import annotations

import math
import re

# Symbols of a voice, about four seconds of speech; the voice takes some 40 MB a second of it while it works.
LONGEST = 72
# Where to breathe: at a pause, else not behind a little word (wa, ya, mar, the), which belongs to the next one.
_GAPS = (r"(?<=[,;:]) ", r"(?<=\S{6}) ", " ")


def phrases(sentence: str, longest: int = LONGEST) -> list[str]:
    """A sentence's symbols in parts of at most `longest`, cut at its pauses, else between words.

    A single word longer than that is cut where it reaches the bound. Nothing but spaces at the cuts is lost.
    """
    parts = []
    while len(sentence) > longest:
        cut = _cut(sentence, longest)
        parts.append(sentence[:cut])
        sentence = sentence[cut:].lstrip()
    return [*parts, sentence]


def _cut(sentence: str, longest: int) -> int:
    # Near-equal parts: a last breath of one word sounds like an afterthought.
    aim = len(sentence) / math.ceil(len(sentence) / longest)
    for gap in _GAPS:
        found = [match.start() for match in re.finditer(gap, sentence[: longest + 1])]
        places = [place for place in found if place >= longest / 3]
        if places:
            return min(places, key=lambda place: abs(place - aim))
    return longest
