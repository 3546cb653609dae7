"""What counts the bytes of a client: the ledger's tally, or nothing."""

from __future__ import annotations

from typing import Literal, Protocol

from services.ledger.wire import Exchange

Purpose = Literal[
    "results",
    "photographs",
    "models",
    "voices",
    "hub-reports",
    "fhir",
    "sms",
    "call",
    "ussd",
    "whatsapp",
    "mms",
    "web",
]


class Meter(Protocol):
    """Told of each HTTP exchange over the wide-area link."""

    def record(self, purpose: Purpose, carrier: str, exchange: Exchange) -> None:
        """Counts one exchange."""


class _NoMeter:
    def record(self, purpose: Purpose, carrier: str, exchange: Exchange) -> None:
        """Counts nothing."""


NO_METER: Meter = _NoMeter()
