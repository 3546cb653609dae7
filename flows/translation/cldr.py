"""What Babel's CLDR knows of a language: its plural forms, months and signs. Written down for the processes that have
no Babel, and compared with what is written down.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from babel import Locale
from babel.messages.plurals import get_plural

from flows.catalogue import LOCALE
from flows.translation.check import catalogue

# CLDR calls November "Dwe mar gi achiel", the month of and-one: ten is missing, which December has.
_MENDED = {("luo", 11): "Dwe mar Apar gi achiel"}


def formats_of(language: str) -> dict[str, object]:
    """The content of `formats.json`, as Kenya writes; the months in letters that an SMS has.

    Raises babel.UnknownLocaleError.
    """
    locale = _locale(language)
    months = locale.months["format"]["wide"]
    symbols = locale.number_symbols["latn"]
    names = {"d": "{day}", "MMMM": "{month}", "y": "{year}"}
    pattern = re.sub("|".join(names), lambda sign: names[sign[0]], str(locale.date_formats["long"].pattern))
    return {
        "date": pattern,
        "months": [_MENDED.get((language, number), months[number]).replace("’", "'") for number in range(1, 13)],
        "decimal": symbols["decimal"],
        "group": symbols["group"],
    }


def plural_header(language: str) -> str:
    """The `Plural-Forms` of a catalogue. CLDR has no rule for Dholuo; Babel then takes gettext's two forms, which is
    right: its nouns have a plural.
    """
    return f"Plural-Forms: {get_plural(_locale(language))}"


def write_formats(language: str, locale: Path = LOCALE) -> Path:
    """Writes a language's `formats.json` anew and gives its path."""
    path = locale / language / "formats.json"
    path.write_text(json.dumps(formats_of(language), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def header_problems(language: str, locale: Path = LOCALE) -> list[str]:
    """What the catalogue's header and the formats say otherwise than CLDR."""
    found = []
    if plural_header(language) not in catalogue(language, locale).header.splitlines():
        found.append(f"{language} header: should say {plural_header(language)}")
    path = locale / language / "formats.json"
    if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != formats_of(language):
        found.append(f"{language} formats.json: not what CLDR says; `python app.py messages formats` writes it")
    return found


def _locale(language: str) -> Locale:
    kenyan: Locale = Locale.parse(f"{language}_KE")
    return kenyan
