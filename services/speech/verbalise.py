"""Writing to words: numbers, codes, phone numbers, dates, times, percentages and units, which a voice reads wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from services.speech.numbers import LARGEST, in_words

_UNITS = {
    "en": {"mg": "milligrams", "km": "kilometres", "mm": "millimetres", "%": "percent", "&": "and"},
    "sw": {"mg": "miligramu", "km": "kilomita", "mm": "milimita", "%": "asilimia", "&": "na"},
    "luo": {"mg": "miligram", "km": "kilomita", "mm": "milimita", "%": "asilimia", "&": "gi"},
}
_OVER = {"en": "over", "sw": "juu ya", "luo": "ewi"}
_POINT = {"en": "point", "sw": "nukta", "luo": "nukta"}
_PLUS = {"en": "plus", "sw": "jumlisha", "luo": "plas"}
_STAR = {"en": "star", "sw": "nyota", "luo": "sulwe"}
_HASH = {"en": "hash", "sw": "alama ya reli", "luo": "hash"}
_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "sw": [
        "Januari",
        "Februari",
        "Machi",
        "Aprili",
        "Mei",
        "Juni",
        "Julai",
        "Agosti",
        "Septemba",
        "Oktoba",
        "Novemba",
        "Desemba",
    ],
    "luo": [f"dwe mar {name}" for name in ("achiel", "ariyo", "adek", "ang'wen", "abich", "auchiel", "abiriyo")]
    + ["dwe mar aboro", "dwe mar ochiko", "dwe mar apar", "dwe mar apar gachiel", "dwe mar apar gariyo"],
}
_SPELLED = 5  # from this many digits on a number is an identity, not a quantity


def verbalise(language: str, text: str) -> str:
    """The text in words only. Languages: `en`, `sw`, `luo`; raises KeyError for others."""
    rules: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", lambda m: _date(language, m)),
        (r"\b([01]?\d|2[0-3]):([0-5]\d)\b", lambda m: _time(language, int(m[1]), int(m[2]))),
        (r"\*[\d*]+#", lambda m: _service_code(language, m[0])),
        (r"\+?\d{5,}", lambda m: _spelled(language, m[0])),
        (r"\b(\d{2,3})/(\d{2,3})\b", lambda m: f"{_words(language, m[1])} {_OVER[language]} {_words(language, m[2])}"),
        (r"\b(\d+)\s?%", lambda m: _percent(language, m[1])),
        (r"\b(\d+)\s?(mg|km|mm)\b", lambda m: _unit(language, m[1], m[2])),
        (r"\b(\d+)\.(\d+)\b", lambda m: f"{_words(language, m[1])} {_POINT[language]} {_digits(language, m[2])}"),
        (r"\d+", lambda m: _words(language, m[0])),
        (r"&", lambda _: _UNITS[language]["&"]),
    )
    for pattern, words in rules:
        text = re.sub(pattern, words, text)
    return text


def kiswahili_time(hour: int, minute: int) -> str:
    """A time of day as Kiswahili counts: from sunrise, so that seven in the morning is hour one."""
    spoken = f"saa {in_words('sw', (hour - 7) % 12 + 1)}"
    if minute == 30:
        spoken += " na nusu"
    elif minute == 15:
        spoken += " na robo"
    elif minute:
        spoken += f" na dakika {in_words('sw', minute)}"
    part = "usiku" if hour < 4 or hour >= 19 else "asubuhi" if hour < 12 else "mchana" if hour < 16 else "jioni"
    return f"{spoken} {part}"


def _date(language: str, match: re.Match[str]) -> str:
    year, month, day = (int(part) for part in match.groups())
    try:
        date(year, month, day)
    except ValueError:
        return match[0]
    name, spoken_day, spoken_year = _MONTHS[language][month - 1], in_words(language, day), in_words(language, year)
    if language == "en":
        return f"{spoken_day} {name} {spoken_year}"
    if language == "sw":
        return f"tarehe {spoken_day} {name} {spoken_year}"
    return f"tarik {spoken_day} {name} higa {spoken_year}"


def _time(language: str, hour: int, minute: int) -> str:
    if language == "sw":
        return kiswahili_time(hour, minute)
    if language == "luo":
        # Dholuo counts the hours from sunrise too.
        spoken = f"saa {in_words('luo', (hour - 7) % 12 + 1)}"
        return spoken + (f" gi dakika {in_words('luo', minute)}" if minute else "")
    spoken = in_words("en", (hour - 1) % 12 + 1)
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{in_words('en', minute)}"
    return f"{spoken} {'in the morning' if hour < 12 else 'in the afternoon' if hour < 18 else 'in the evening'}"


def _service_code(language: str, code: str) -> str:
    names = {"*": _STAR[language], "#": _HASH[language]}
    return ", ".join(names.get(sign) or _words(language, sign) for sign in code)


def _spelled(language: str, number: str) -> str:
    digits = number.lstrip("+")
    # In threes, as people read numbers aloud; the commas are pauses.
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    spoken = ", ".join(_digits(language, group) for group in groups)
    return f"{_PLUS[language]} {spoken}" if number.startswith("+") else spoken


def _digits(language: str, digits: str) -> str:
    return " ".join(in_words(language, int(digit)) for digit in digits)


def _percent(language: str, number: str) -> str:
    sign, spoken = _UNITS[language]["%"], _words(language, number)
    return f"{spoken} {sign}" if language == "en" else f"{sign} {spoken}"


def _unit(language: str, number: str, unit: str) -> str:
    name, spoken = _UNITS[language][unit], _words(language, number)
    return f"{spoken} {name}" if language == "en" else f"{name} {spoken}"


def _words(language: str, digits: str) -> str:
    return in_words(language, int(digits)) if int(digits) <= LARGEST else _digits(language, digits)
