"""What each language calls the things beside numbers: months, hours, units, signs.

The Dholuo terms follow CLDR (months) and ordinary usage of loans; no speaker has reviewed them yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.speech.agreement import agree
from services.speech.numbers import in_words


@dataclass(frozen=True)
class Terms:
    """`unit_first`: "asilimia hamsini" rather than "fifty percent", and money likewise. `clock` speaks an hour 0–23 and
    a minute; `months` are as CLDR writes them in dates; `day_month` speaks a day of the month and a month 1–12; `year`
    a year of four digits. `short` says abbreviations in full, `letters` names the capitals; `ordinals` is a pattern of
    written ones and `ordinal` speaks one; `agree` makes a numeral follow a noun.
    """

    units: Mapping[str, str]
    unit_first: bool
    over: str
    to: str
    point: str
    minus: str
    plus: str
    star: str
    hash: str
    half: str
    signs: Mapping[str, str]
    money: Mapping[str, str]
    months: tuple[str, ...]
    clock: Callable[[int, int], str]
    day_month: Callable[[int, int], str]
    year: Callable[[int], str]
    short: Mapping[str, str]
    letters: Mapping[str, str]
    agree: Callable[[str, str], str] = lambda _, numeral: numeral
    ordinals: str = "(?!)"
    ordinal: Callable[[int], str] = str


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Kenya names the letters as English does, here in the spelling that Kiswahili and Dholuo share.
_LETTER_NAMES = "ei bi si di i ef ji ech ai jei kei el em en o pi kyu ar es ti yu vi dablyu eks wai zed"
_LETTERS = dict(zip(_ALPHABET, _LETTER_NAMES.split(" "), strict=True))
_EN_MONTHS = (
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
)
_SW_MONTHS = (
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
)
_LUO_MONTHS = (
    "Dwe mar Achiel",
    "Dwe mar Ariyo",
    "Dwe mar Adek",
    "Dwe mar Ang'wen",
    "Dwe mar Abich",
    "Dwe mar Auchiel",
    "Dwe mar Abiriyo",
    "Dwe mar Aboro",
    "Dwe mar Ochiko",
    "Dwe mar Apar",
    "Dwe mar Apar gi achiel",
    "Dwe mar Apar gi ariyo",
)
_EN_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}


def _english_clock(hour: int, minute: int) -> str:
    if minute == 0 and hour in (0, 12):
        return "noon" if hour else "midnight"
    spoken = in_words("en", (hour - 1) % 12 + 1)
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{in_words('en', minute)}"
    if 4 <= hour < 12:
        return f"{spoken} in the morning"
    return f"{spoken} {'in the afternoon' if 12 <= hour < 17 else 'in the evening' if 17 <= hour < 21 else 'at night'}"


def _kiswahili_clock(hour: int, minute: int) -> str:
    """Kiswahili counts from sunrise: seven in the morning is hour one. A quarter to is taken from the next hour."""
    counted = (hour - 7 + (minute == 45)) % 12 + 1
    spoken = f"saa {in_words('sw', counted)}"
    named = {0: "", 15: " na robo", 30: " na nusu", 45: " kasorobo"}
    spoken += named[minute] if minute in named else f" na dakika {in_words('sw', minute)}"
    return f"{spoken} {_part_of_day(hour, 'asubuhi', 'mchana', 'jioni', 'usiku')}"


def _dholuo_clock(hour: int, minute: int) -> str:
    """Dholuo counts from sunrise too."""
    spoken = f"saa {in_words('luo', (hour - 7) % 12 + 1)}"
    if minute:
        spoken += f" gi dakika {in_words('luo', minute)}"
    return spoken + " " + _part_of_day(hour, "gokinyi", "godiechieng'", "godhiambo", "gotieno")


def _part_of_day(hour: int, morning: str, noon: str, evening: str, night: str) -> str:
    if 4 <= hour < 12:
        return morning
    if 12 <= hour < 16:
        return noon
    return evening if 16 <= hour < 19 else night


def _english_year(year: int) -> str:
    """In pairs, as years are read: "nineteen ninety", "nineteen oh five", but "two thousand and five"."""
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return in_words("en", year)
    tail = "hundred" if rest == 0 else f"oh {in_words('en', rest)}" if rest < 10 else in_words("en", rest)
    return f"{in_words('en', century)} {tail}"


def _english_ordinal(number: int) -> str:
    tens, dash, last = in_words("en", number).rpartition("-")
    plain = "twelfth" if last == "twelve" else last[:-1] + "ieth" if last.endswith("y") else f"{last}th"
    return tens + dash + _EN_ORDINALS.get(last, plain)


def _kiswahili_day(day: int, month: int) -> str:
    # The first and the second have names of their own.
    return f"tarehe {({1: 'mosi', 2: 'pili'}).get(day) or in_words('sw', day)} {_SW_MONTHS[month - 1]}"


TERMS = {
    "en": Terms(
        units={
            "%": "percent",
            "mg": "milligrams",
            "kg": "kilograms",
            "ml": "millilitres",
            "km": "kilometres",
            "mm": "millimetres",
            "cm": "centimetres",
            "mmHg": "millimetres of mercury",
            "mmol/L": "millimoles per litre",
            "g": "grams",
            "mcg": "micrograms",
            "µg": "micrograms",
            "IU": "international units",
            "l": "litres",
            "L": "litres",
            "m": "metres",
            "mg/dL": "milligrams per decilitre",
            "kg/m2": "kilograms per square metre",
            "°C": "degrees",
            "MB": "megabytes",
        },
        unit_first=False,
        over="over",
        to="to",
        point="point",
        minus="minus",
        plus="plus",
        star="star",
        hash="hash",
        half="half",
        signs={"&": "and", "<": "less than", ">": "more than", "≤": "at most", "≥": "at least", "=": "equals"},
        money={"KSh": "shillings", "Ksh": "shillings", "KES": "shillings", "Sh": "shillings", "USD": "dollars"},
        months=_EN_MONTHS,
        clock=_english_clock,
        day_month=lambda day, month: f"{in_words('en', day)} {_EN_MONTHS[month - 1]}",
        year=_english_year,
        short={"USSD": "U S S D", "HbA1c": "H B A-one C", "e.g.": "for example", "i.e.": "that is"},
        letters={letter: letter for letter in _ALPHABET},
        ordinals=r"\d{1,2}(?:st|nd|rd|th)",
        ordinal=_english_ordinal,
    ),
    "sw": Terms(
        units={
            "%": "asilimia",
            "mg": "miligramu",
            "kg": "kilo",
            "ml": "mililita",
            "km": "kilomita",
            "mm": "milimita",
            "cm": "sentimita",
            "mmHg": "milimita za zebaki",
            "mmol/L": "milimoli kwa lita",
            "g": "gramu",
            "mcg": "mikrogramu",
            "µg": "mikrogramu",
            "IU": "yuniti",
            "l": "lita",
            "L": "lita",
            "m": "mita",
            "mg/dL": "miligramu kwa desilita",
            "kg/m2": "kilo kwa mita mraba",
            "°C": "nyuzi joto",
            "MB": "megabaiti",
        },
        unit_first=True,
        over="juu ya",
        to="hadi",
        point="nukta",
        minus="kasoro",
        plus="jumlisha",
        star="nyota",
        hash="alama ya reli",
        half="nusu",
        signs={"&": "na", "<": "chini ya", ">": "zaidi ya", "≤": "isizidi", "≥": "angalau", "=": "ni sawa na"},
        money={"KSh": "shilingi", "Ksh": "shilingi", "KES": "shilingi", "Sh": "shilingi", "USD": "dola"},
        months=_SW_MONTHS,
        clock=_kiswahili_clock,
        day_month=_kiswahili_day,
        year=lambda year: in_words("sw", year),
        short={
            "Dr.": "daktari",
            "Dkt.": "daktari",
            "Bw.": "bwana",
            "Bi.": "bibi",
            "Mhe.": "mheshimiwa",
            "Prof.": "profesa",
            "S.L.P.": "sanduku la posta",
            "n.k.": "na kadhalika",
            "k.m.": "kwa mfano",
            "k.v.": "kama vile",
            "HbA1c": "echbieiwansi",
        },
        letters=_LETTERS,
        agree=agree,
    ),
    "luo": Terms(
        units={
            "%": "asilimia",
            "mg": "miligram",
            "kg": "kilo",
            "ml": "mililita",
            "km": "kilomita",
            "mm": "milimita",
            "cm": "sentimita",
            "mmHg": "milimita mag mekuri",
            "mmol/L": "milimol e lita",
            "g": "gram",
            "mcg": "mikrogram",
            "µg": "mikrogram",
            "IU": "yunit",
            "l": "lita",
            "L": "lita",
            "m": "mita",
            "mg/dL": "miligram e desilita",
            "kg/m2": "kilo e mita mraba",
            "°C": "digri",
            "MB": "megabait",
        },
        unit_first=True,
        over="ewi",
        to="nyaka",
        point="nukta",
        minus="kasoro",
        plus="plas",
        star="sulwe",
        hash="hash",
        half="nus",
        signs={"&": "gi", "<": "matin ne", ">": "mang'eny ne", "≤": "ok okal", "≥": "ok odok chien ne", "=": "en"},
        money={"KSh": "siling", "Ksh": "siling", "KES": "siling", "Sh": "siling", "USD": "dola"},
        months=_LUO_MONTHS,
        clock=_dholuo_clock,
        day_month=lambda day, month: f"tarik {in_words('luo', day)} dwe mar {in_words('luo', month)}",
        year=lambda year: f"higa {in_words('luo', year)}",
        short={"Dr.": "daktar", "Prof.": "profesa", "HbA1c": "echbieiwansi"},
        letters=_LETTERS,
    ),
}
