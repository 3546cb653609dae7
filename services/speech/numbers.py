"""Whole numbers in words, as each language counts."""

from __future__ import annotations

import re
from functools import lru_cache

_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_EN_TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SW = ["sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa", "kumi"]
_SW_TENS = ["-", "kumi", "ishirini", "thelathini", "arobaini", "hamsini", "sitini", "sabini", "themanini", "tisini"]
_LUO = ["nono", "achiel", "ariyo", "adek", "ang'wen", "abich", "auchiel", "abiriyo", "aboro", "ochiko", "apar"]

# Kiswahili says ten thousand and five as it says fifteen thousand; larger numbers are read digit by digit.
LARGEST = 9_999


def in_words(language: str, number: int) -> str:
    """A number from 0 to 9,999 in `en`, `sw` or `luo`. Raises ValueError outside that range, KeyError for others."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not between 0 and {LARGEST}")
    return {"en": _english, "sw": _kiswahili, "luo": _dholuo}[language](number)


@lru_cache
def words_of_numbers(language: str) -> tuple[str, ...]:
    """The words of which every number from 0 to 9,999 is made, as they first come up: what to record of numbers."""
    said = (re.split("[ -]", in_words(language, number)) for number in range(LARGEST + 1))
    return tuple(dict.fromkeys(word for words in said for word in words))


def _english(number: int) -> str:
    if number < 20:
        return _EN[number]
    if number < 100:
        return _EN_TENS[number // 10] + (f"-{_EN[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{_EN[number // 100]} hundred" + (f" and {_english(number % 100)}" if number % 100 else "")
    rest = number % 1000
    joint = " and " if 0 < rest < 100 else " "
    return f"{_english(number // 1000)} thousand" + (f"{joint}{_english(rest)}" if rest else "")


def _kiswahili(number: int) -> str:
    if number <= 10:
        return _SW[number]
    if number < 100:
        return _SW_TENS[number // 10] + (f" na {_SW[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"mia {_SW[number // 100]}" + (f" na {_kiswahili(number % 100)}" if number % 100 else "")
    rest = number % 1000
    joint = " na " if 0 < rest < 100 else " "
    return f"elfu {_kiswahili(number // 1000)}" + (f"{joint}{_kiswahili(rest)}" if rest else "")


def _dholuo(number: int) -> str:
    if number <= 10:
        return _LUO[number]
    if number < 20:
        return f"apar g{_LUO[number - 10]}"
    if number < 100:
        return f"piero {_LUO[number // 10]}" + (f" g{_LUO[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"mia {_LUO[number // 100]}" + (f" gi {_dholuo(number % 100)}" if number % 100 else "")
    rest = number % 1000
    return f"alufu {_dholuo(number // 1000)}" + (f" gi {_dholuo(rest)}" if rest else "")
