"""Kiswahili numerals agree with what they count: "miezi miwili", "watu wawili", "vidonge viwili".

One to five and eight take the noun's class prefix, also as the last part of a larger number ("miaka ishirini na
mitano"); the others, and what counts hundreds and thousands, do not change. Nouns of the N class (siku, wiki, mara,
dakika, picha) leave every numeral as it is, which is also what an unknown noun gets.
"""

from __future__ import annotations

_STEMS = {"mbili": "wili", "tatu": "tatu", "nne": "nne", "tano": "tano", "nane": "nane"}
_NOUNS = {
    # class prefix: one of the class in words, nouns
    "mi": (
        "mmoja",
        "miezi miaka mikono miguu mistari miito milo mishipa misimu"
        " mwezi mwaka mkono mguu mstari mwito mlo mshipa msimu",
    ),
    "wa": (
        "mmoja",
        "watu wagonjwa wahudumu watoto wazee wanawake wanaume wauguzi madaktari"
        " mtu mgonjwa mhudumu mtoto mzee mwanamke mwanaume muuguzi daktari wajawazito mjamzito wanafunzi mwanafunzi",
    ),
    "ma": (
        "moja",
        "macho majibu matone maswali makosa majaribio masikio magonjwa majina matunda madirisha"
        " jicho jibu tone swali kosa jaribio sikio jina tunda dirisha",
    ),
    "vi": (
        "kimoja",
        "vidonge vituo vijiji vipimo vikombe vijiko viatu vyeti vidole"
        " kidonge kituo kijiji kipimo kikombe kijiko kiatu cheti kidole",
    ),
}
_PREFIXES = {noun: prefix for prefix, (_, nouns) in _NOUNS.items() for noun in nouns.split()}


def agree(noun: str, numeral: str) -> str:
    """The numeral, in words, as it follows `noun`: `agree("miezi", "kumi na mbili")` is "kumi na miwili"."""
    prefix = _PREFIXES.get(noun.lower())
    *before, last = numeral.split(" ")
    if prefix is None or (before and before[-1] in ("mia", "elfu")):
        return numeral
    if last == "moja":
        last = _NOUNS[prefix][0]
    elif last in _STEMS:
        last = prefix + _STEMS[last]
    return " ".join([*before, last])
