"""Amounts of money as carriers and operators write them, such as "KES 0.8000", in billionths of a US dollar.

Billionths, because one byte at three dollars a gigabyte costs three of them: sums of small things stay exact integers.
"""

from __future__ import annotations

import re
from decimal import Decimal

NANO = 1_000_000_000
_AMOUNT = re.compile(r"(KES|USD) ?([0-9]{1,9}(?:\.[0-9]{1,12})?)")


def nano_usd(amount: str, kes_per_usd: float) -> int | None:
    """`amount` in billionths of a dollar; None for what is no amount of shillings or dollars."""
    found = _AMOUNT.fullmatch(amount.strip())
    if found is None:
        return None
    value = Decimal(found[2]) / (Decimal(str(kes_per_usd)) if found[1] == "KES" else 1)
    return round(value * NANO)


def dollars(nano: int) -> float:
    """Billionths of a dollar as dollars, for people and JSON."""
    return round(nano / NANO, 9)
