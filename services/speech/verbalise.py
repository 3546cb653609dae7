"""Writing to words: numbers, codes, phone numbers, dates, times, percentages and units, which a voice reads wrongly."""

from __future__ import annotations

import re
from datetime import date

from services.speech.numbers import LARGEST, in_words
from services.speech.terms import TERMS, Terms

_SPELLED_FROM = 5  # digits: from this many on a number is an identity (a code, a phone), not a quantity

# Tried in this order at each place, in one pass, so that no rule reads what another has written.
_WRITTEN = re.compile(
    r"""
    (?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b
    | (?P<day2>\d\d?)/(?P<month2>\d\d?)/(?P<year2>\d{4})\b
    | (?:\bsaa\s+)?\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b
    | (?P<service>\*[\d*]+\#)
    | (?P<spaced>\b\d{3}[ ]\d{3}\b(?![ ]?\d))
    | (?P<spelled>\+?\d{5,}|\b0\d+)
    | \b(?P<upper>\d{2,3})/(?P<lower>\d{2,3})\b
    | \b(?P<low>\d+)\s?[-\u2013]\s?(?P<high>\d+)\b
    | (?P<minus>(?<!\w)[-\u2212])?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fraction>\d+))?
      (?:\s?(?P<unit>%|mg\b|km\b|mm\b|cm\b))?
    | (?P<ampersand>&)
    | (?P<pause>\s*/\s*|\s+[-\u2013\u2014]\s+|\s*\u2026)
    """,
    re.VERBOSE,
)


def verbalise(language: str, text: str) -> str:
    """The text in words only. Languages: `en`, `sw`, `luo`; raises KeyError for others."""
    terms = TERMS[language]
    return _WRITTEN.sub(lambda match: _spoken(language, terms, match), text)


def _spoken(language: str, terms: Terms, match: re.Match[str]) -> str:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    match found:
        case {"year": year, "month": month, "day": day} | {"year2": year, "month2": month, "day2": day}:
            return _date(language, terms, int(year), int(month), int(day), match[0])
        case {"hour": hour, "minute": minute}:
            return terms.clock(int(hour), int(minute))
        case {"service": code}:
            signs = {"*": terms.star, "#": terms.hash}
            return ", ".join(signs.get(sign) or in_words(language, int(sign)) for sign in code)
        case {"spaced": digits} | {"spelled": digits}:
            return _spelled(language, terms, digits)
        case {"upper": upper, "lower": lower}:
            return f"{_number(language, upper)} {terms.over} {_number(language, lower)}"
        case {"low": low, "high": high}:
            return f"{_number(language, low)} {terms.to} {_number(language, high)}"
        case {"whole": _}:
            return _quantity(language, terms, found)
        case {"ampersand": _}:
            return terms.ampersand
    return ", "


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
    if "unit" not in found:
        return spoken
    unit = terms.units[found["unit"]]
    return f"{unit} {spoken}" if terms.unit_first else f"{spoken} {unit}"


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
