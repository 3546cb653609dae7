"""Writing to words: numbers, codes, dates, times, units and abbreviations, all of which a voice reads wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from services.speech.numbers import LARGEST, in_words
from services.speech.terms import TERMS, Terms

# Tried in this order at each place, in one pass, so that no rule reads what another has written. From five digits on a
# number is an identity (a code, a phone), not a quantity. SHORT and UNIT stand for a language's own.
_WRITTEN = r"""
    (?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b
    | (?P<day2>\d\d?)/(?P<month2>\d\d?)/(?P<year2>\d{4})\b
    | (?:\bsaa\s+)?\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b
    | (?P<short>\b(?:SHORT)(?!\w))
    | (?P<code>\b(?=\d*[A-Z])(?=[A-Z]*\d)[A-Z\d]{2,12}\b)
    | (?P<initials>(?<!')\b[B-DF-HJ-NP-TV-Z]{2,6}\b(?!['’ʼ‘ʻ`´′]))
    | (?P<service>\*[\d*]+\#)
    | (?P<spaced>\b\d{3}[ ]\d{3}\b(?![ ]?\d))
    | (?P<spelled>\+?\d{5,}|\b0\d+)
    | \b(?P<upper>\d{2,3})/(?P<lower>\d{2,3})(?!\d)(?:\s?(?P<pressure>UNIT)(?!\w))?
    | \b(?P<low>\d+)\s?[-\u2013]\s?(?P<high>\d+)\b
    | (?P<minus>(?<!\w)[-\u2212])?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fraction>\d+))?
      (?:\s?(?P<unit>UNIT)(?!\w))?
    | (?P<ampersand>&)
    | (?P<pause>\s*/\s*|\s+[-\u2013\u2014]\s+|\s*\u2026)
"""
_LAST_WORD = re.compile(r"(\w+)\s+$")


def verbalise(language: str, text: str) -> str:
    """The text in words only. Languages: `en`, `sw`, `luo`; raises KeyError for others."""
    terms = TERMS[language]
    return _pattern(language).sub(lambda match: _spoken(language, terms, match), text)


def spoken_after(language: str, before: str, value: str) -> str:
    """A value in words as it follows the text `before`, whose last word may be what a number counts."""
    noun = _LAST_WORD.search(before)
    context = f"{noun[1]} " if noun else ""
    spoken = verbalise(language, context + value)
    return spoken.removeprefix(context) if spoken.startswith(context) else verbalise(language, value)


@lru_cache
def _pattern(language: str) -> re.Pattern[str]:
    def any_of(written: Iterable[str]) -> str:
        return "|".join(re.escape(each) for each in sorted(written, key=len, reverse=True))

    terms = TERMS[language]
    return re.compile(_WRITTEN.replace("SHORT", any_of(terms.short)).replace("UNIT", any_of(terms.units)), re.VERBOSE)


def _spoken(language: str, terms: Terms, match: re.Match[str]) -> str:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    match found:
        case {"year": year, "month": month, "day": day} | {"year2": year, "month2": month, "day2": day}:
            return _date(language, terms, int(year), int(month), int(day), match[0])
        case {"hour": hour, "minute": minute}:
            return terms.clock(int(hour), int(minute))
        case {"short": short}:
            return terms.short[short]
        case {"code": code}:
            # As slowly as it is written down.
            return ", ".join(terms.letters.get(sign) or in_words(language, int(sign)) for sign in code)
        case {"initials": initials}:
            # One word, so that it has one stress: SMS is "esemes".
            return "".join(terms.letters[letter] for letter in initials)
        case {"service": code}:
            signs = {"*": terms.star, "#": terms.hash}
            return ", ".join(signs.get(sign) or in_words(language, int(sign)) for sign in code)
        case {"spaced": digits} | {"spelled": digits}:
            return _spelled(language, terms, digits)
        case {"upper": upper, "lower": lower}:
            spoken = f"{_number(language, upper)} {terms.over} {_number(language, lower)}"
            return _in_unit(terms, spoken, found.get("pressure"))
        case {"low": low, "high": high}:
            low, high = (terms.agree(_noun(match), _number(language, digits)) for digits in (low, high))
            return f"{low} {terms.to} {high}"
        case {"whole": whole} if not found.keys() & {"minus", "fraction", "unit"}:
            return terms.agree(_noun(match), _number(language, whole.replace(",", "")))
        case {"whole": _}:
            return _quantity(language, terms, found)
        case {"ampersand": _}:
            return terms.ampersand
    return ", "


def _noun(match: re.Match[str]) -> str:
    """The word before a number, which in Kiswahili is what it counts."""
    before = _LAST_WORD.search(match.string[: match.start()])
    return before[1] if before else ""


def _date(language: str, terms: Terms, year: int, month: int, day: int, written: str) -> str:
    try:
        date(year, month, day)
    except ValueError:
        return _digits(language, written)
    return f"{terms.day_month(day, month)} {terms.year(year)}"


def _quantity(language: str, terms: Terms, found: dict[str, str]) -> str:
    spoken = _number(language, found["whole"].replace(",", ""))
    if "minus" in found:
        spoken = f"{terms.minus} {spoken}"
    if "fraction" in found:
        spoken += f" {terms.point} {_digits(language, found['fraction'])}"
    return _in_unit(terms, spoken, found.get("unit"))


def _in_unit(terms: Terms, spoken: str, unit: str | None) -> str:
    if unit is None:
        return spoken
    return f"{terms.units[unit]} {spoken}" if terms.unit_first else f"{spoken} {terms.units[unit]}"


def _spelled(language: str, terms: Terms, number: str) -> str:
    digits = re.sub(r"\D", "", number)
    # In threes, as people read numbers aloud; the commas are pauses. A last digit alone joins the group before it.
    groups = re.findall(r"\d{3}(?=\d\d)|\d{1,4}$", digits)
    spoken = ", ".join(_digits(language, group) for group in groups)
    return f"{terms.plus} {spoken}" if number.startswith("+") else spoken


def _digits(language: str, written: str) -> str:
    return " ".join(in_words(language, int(digit)) for digit in re.findall(r"\d", written))


def _number(language: str, digits: str) -> str:
    return in_words(language, int(digits)) if int(digits) <= LARGEST else _digits(language, digits)
