"""How many USSD turns a second the gateway answers, durably, and whether every answer is the right one.

Sixteen callers, each a health worker who opens screenings one after the other over keep-alive connections: language, menu,
sex, year of birth, phone, consent, code. Every turn is one committed transaction.
"""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import psutil

from services.bench.stack import Stack
from services.screening import codes

CALLERS = 16
# What each answer must hold, in English; the last screen carries the code.
_DIALOGUE: tuple[tuple[str, str], ...] = ()


@dataclass
class _Caller:
    number: int
    turns: list[float] = field(default_factory=list)
    wrong: int = 0
    codes: list[str] = field(default_factory=list)
    lost: int = 0


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
