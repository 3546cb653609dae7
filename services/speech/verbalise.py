"""Writing to words: numbers, codes, dates, times, money, units, signs, abbreviations: a voice reads them wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from services.speech.numbers import LARGEST, in_words
from services.speech.terms import TERMS, Terms

# Tried in this order at each place, in one pass, so that no rule reads what another has written. From five digits on a
# number is an identity (a code, a phone), not a quantity. Names in capitals (SHORT, UNIT) stand for a language's own.
_WRITTEN = r"""
    (?:\b[Tt]ar(?:ehe|ik)\s+)?\b(?:
      (?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b
      | (?P<day2>\d\d?)/(?P<month2>\d\d?)/(?P<year2>\d{4})\b
      | (?P<day3>\d\d?)\s(?P<name>MONTH)(?:,?\s(?P<year3>\d{4}))?(?!\w)
    )
    | (?:\bsaa\s+)?\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b(?:\s?(?P<half>[ap])\.?m\b\.?)?
      (?P<until>\s?[-\u2013]\s?(?=\d\d?:[0-5]\d\b))?
    | (?P<short>(?<!\w)(?:SHORT)(?!\w))
    | \b(?P<money>MONEY)\.?\s?(?P<sum>\d{1,3}(?:,\d{3})+|\d+)\b(?:/=|/-)?
    | (?P<code>\b(?=\d*[A-Z])(?=[A-Z]*\d)[A-Z\d]{2,12}\b)
    | (?P<initials>(?<!')\b[B-DF-HJ-NP-TV-Z]{2,6}\b(?!['\u2019\u02bc\u2018\u02bb`\u00b4\u2032]))
    | (?P<service>\*[\d*]+\#)
    | (?P<spaced>\b\d{3}[ ]\d{3}\b(?![ ]?\d))
    | (?P<phone>(?<!\w)(?:\+\d{1,3}|0)\d{2,3}(?:[ -]\d{2,4}){2,3}\b)
    | (?P<spelled>\+?\d{5,}|\b0\d+)
    | \b(?P<half_of>1/2)\b
    | \b(?P<upper>\d{1,3})/(?P<lower>\d{1,3})(?!\d)(?:\s?(?P<pressure>UNIT)(?!\w))?
    | \b(?P<low>\d+)\s?[-\u2013]\s?(?P<high>\d+)(?:\s?(?P<measure>UNIT)(?!\w)|(?!\w|\.\d))
    | \b(?P<ordinal>ORDINAL)\b
    | (?P<minus>(?<!\w)[-\u2212])?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<fraction>\d+))?
      (?:\s?(?P<unit>UNIT)(?!\w))?
    | \s*(?P<sign>SIGN)\s*
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
    written = {
        "SHORT": any_of(terms.short),
        "UNIT": any_of(terms.units),
        "MONTH": any_of(terms.months),
        "MONEY": any_of(terms.money),
        "SIGN": any_of(terms.signs),
        "ORDINAL": terms.ordinals,
    }
    # One pass over names in capitals, which the pattern has nowhere else.
    named = re.sub("|".join(written), lambda name: written[name[0]], _WRITTEN)
    return re.compile(named, re.VERBOSE)


def _spoken(language: str, terms: Terms, match: re.Match[str]) -> str:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    match found:
        case {"year": year, "month": month, "day": day} | {"year2": year, "month2": month, "day2": day}:
            return _date(language, terms, int(year), int(month), int(day), match[0])
        case {"day3": day, "name": name}:
            month = str(terms.months.index(name) + 1)
            # A leap year, where none is written.
            return _date(language, terms, int(found.get("year3", 0)), int(month), int(day), match[0])
        case {"hour": hour, "minute": minute}:
            spoken = terms.clock(_of_24(int(hour), found.get("half")), int(minute))
            return f"{spoken} {terms.to} " if "until" in found else spoken
        case {"short": short}:
            return terms.short[short]
        case {"money": money, "sum": digits}:
            numeral = _number(language, digits.replace(",", ""))
            return _placed(terms, numeral, terms.money[money])
        case {"code": code}:
            # As slowly as it is written down.
            return ", ".join(terms.letters.get(sign) or in_words(language, int(sign)) for sign in code)
        case {"initials": initials}:
            # One word, so that it has one stress: SMS is "esemes".
            return "".join(terms.letters[letter] for letter in initials)
        case {"service": code}:
            signs = {"*": terms.star, "#": terms.hash}
            return ", ".join(signs.get(sign) or in_words(language, int(sign)) for sign in code)
        case {"spaced": digits} | {"spelled": digits} | {"phone": digits}:
            return _spelled(language, terms, digits)
        case {"half_of": _}:
            return terms.half
        case {"upper": upper, "lower": lower}:
            spoken = f"{_number(language, upper)} {terms.over} {_number(language, lower)}"
            return _in_unit(terms, spoken, found.get("pressure"))
        case {"low": low, "high": high}:
            low, high = (terms.agree(_noun(match), _number(language, digits)) for digits in (low, high))
            return _in_unit(terms, f"{low} {terms.to} {high}", found.get("measure"))
        case {"ordinal": written}:
            return terms.ordinal(int("".join(re.findall(r"\d", written))))
        case {"whole": whole} if not found.keys() & {"minus", "fraction", "unit"}:
            return terms.agree(_noun(match), _number(language, whole.replace(",", "")))
        case {"whole": _}:
            return _quantity(language, terms, found)
        case {"sign": sign}:
            before, behind = match.start() > 0, match.end() < len(match.string)
            return " " * before + terms.signs[sign] + " " * behind
    return ", "


def _of_24(hour: int, half: str | None) -> int:
    """An hour of the day, from one of twelve where "am" or "pm" follows."""
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half == "p" else 0)


def _noun(match: re.Match[str]) -> str:
    """The word before a number, which in Kiswahili is what it counts."""
    before = _LAST_WORD.search(match.string[: match.start()])
    return before[1] if before else ""


def _date(language: str, terms: Terms, year: int, month: int, day: int, written: str) -> str:
    try:
        date(year or 2000, month, day)
    except ValueError:
        return re.sub(r"\d+", lambda part: _digits(language, part[0]), re.sub("[-/]", " ", written))
    spoken = terms.day_month(day, month)
    return f"{spoken} {terms.year(year)}" if year else spoken


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
    return _placed(terms, spoken, terms.units[unit])


def _placed(terms: Terms, numeral: str, measure: str) -> str:
    return f"{measure} {numeral}" if terms.unit_first else f"{numeral} {measure}"


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
