"""How each language writes dates and quantities, from its `locale/<language>/formats.json`.

`python app.py messages formats` makes those files from CLDR: Babel knows it all, but costs the gateway 20 MB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

LOCALE = Path(__file__).with_name("locale")


@dataclass(frozen=True)
class Formats:
    """`date` is a pattern of {day}, {month} and {year}; `months` are the twelve names that it takes."""

    date: str
    months: Sequence[str]
    decimal: str
    group: str


@lru_cache
def formats(language: str) -> Formats:
    """What one language does. Raises OSError for an unknown language."""
    return Formats(**json.loads((LOCALE / language / "formats.json").read_text(encoding="utf-8")))


def written_date(language: str, day: date) -> str:
    """24 November 2026, 24 Novemba 2026."""
    ours = formats(language)
    return ours.date.format(day=day.day, month=ours.months[day.month - 1], year=day.year)


def written_quantity(language: str, value: float | Decimal) -> str:
    """12,500.5: thousands in groups, at most three decimals, as CLDR has it."""
    ours = formats(language)
    plain = f"{value:,.3f}".rstrip("0").rstrip(".")
    return plain.translate({ord(","): ours.group, ord("."): ours.decimal})
