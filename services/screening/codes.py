"""The code of a screening: six digits, so that any keypad can type it and any voice can say it.

The last digit is a check digit by Damm's algorithm (H. M. Damm, 2004), which catches every single wrong digit and every
swap of neighbours: a mistyped code must not open somebody else's screening.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from services.store.rows import opened
from services.store.sealing import Sealed, code_token, seal
from services.store.tables import screening

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def new_code() -> str:
    """A random code. Whether it is free is for the store to say."""
    # Never a leading zero: people drop it when they copy a number, and "0" means "back" on a menu.
    payload = str(secrets.randbelow(90_000) + 10_000)
    return payload + str(_remainder(payload))


def clean(text: str) -> str | None:
    """The code in what a person typed ("482 913", "482-913"), or None if it is not a code."""
    digits = re.sub(r"[\s.-]", "", text)
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()) or digits[0] == "0" or _remainder(digits):
        return None
    return digits


def sealed(code: str) -> Sealed:
    """The code as its screening keeps it."""
    return seal(screening.c.code_sealed, code_token(code), code)


def code_of(case: Any) -> str:
    """The code of a screening, by `code` and `code_sealed` of its row."""
    return opened(screening.c.code_sealed, case)


def _remainder(digits: str) -> int:
    row = 0
    for digit in digits:
        row = _DAMM[row][int(digit)]
    return row
