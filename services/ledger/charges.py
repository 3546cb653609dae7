"""What carriers charge for, counted where it happens: a message taken, a call ended. The carrier's own word about a
cost wins; where it says none, or in a currency we do not know, the operator's price is taken and the cost is estimated.
"""

from __future__ import annotations

import logging

from sqlalchemy.engine import Connection

from services.channels.base import Inbound, Kind, VoiceEvent
from services.ledger.entries import Use, spend
from services.ledger.meter import Purpose
from services.ledger.money import nano_usd
from services.settings import Settings, current
from services.store.clock import now_ms
from services.store.database import insert_once
from services.store.tables import ledger_call

_LOG = logging.getLogger(__name__)
_PURPOSES: dict[str, Purpose] = {
    Kind.SMS: "sms",
    Kind.WHATSAPP: "whatsapp",
    Kind.MMS: "mms",
    Kind.VOICE: "call",
    Kind.USSD: "ussd",
}


def price(amount: str) -> int:
    """A price of the settings, in billionths of a dollar."""
    found = nano_usd(amount, current().kes_per_usd)
    assert found is not None, "settings are validated"
    return found


def cost(reported: str, estimated: int) -> tuple[int, int]:
    """`(reported, estimated)`, one of them 0: what a carrier says something cost, or what it should have."""
    if not reported.strip():
        return 0, estimated
    found = nano_usd(reported, current().kes_per_usd)
    if found is None:
        _LOG.warning("cost not understood", extra={"cost": reported[:20]})
        return 0, estimated
    return found, 0


def message_taken(tx: Connection, kind: str, carrier: str, *, parts: int, reported: str = "", before: int = 0) -> None:
    """A carrier took a message of so many parts. `before`: the parts that were counted already, without a cost, when
    its report overtook its receipt."""
    settings = current()
    a_part = price(_price_of_part(settings, carrier) if kind == Kind.SMS else settings.price_whatsapp_message)
    said, expected = cost(reported, parts * a_part)
    use = Use(
        _PURPOSES[kind],
        _short(carrier),
        "up",
        simulated=_simulated(settings, carrier),
        number=0 if before else 1,
        parts=parts - before,
        cost_reported=said,
        cost_estimated=expected - before * a_part,
    )
    spend(tx, use)


def message_received(tx: Connection, inbound: Inbound) -> None:
    """A person's message came, for the first time."""
    simulated = _simulated(current(), inbound.carrier)
    spend(tx, Use(_PURPOSES[inbound.kind], _short(inbound.carrier), "down", simulated=simulated, number=1))


def call_ended(tx: Connection, event: VoiceEvent, carrier: str) -> None:
    """A call ended; said once, however often the carrier says so."""
    ended = {"session_id": event.session_id, "ended_at": now_ms()}
    if insert_once(tx, ledger_call, ended, key=("session_id",)) is None:
        return
    settings, seconds = current(), max(0, event.duration_s or 0)
    said, expected = cost(event.cost, seconds * price(settings.price_call_minute) // 60)
    use = Use(
        "call",
        carrier,
        "down" if event.direction == "inbound" else "up",
        simulated=_simulated(settings),
        number=1,
        seconds=seconds,
        cost_reported=said,
        cost_estimated=expected,
    )
    spend(tx, use)


def _price_of_part(settings: Settings, carrier: str) -> str:
    own = {"modem": settings.price_modem_part, "smpp": settings.price_smpp_part}
    return own.get(carrier, settings.price_sms_part)


def _simulated(settings: Settings, carrier: str = "") -> bool:
    # A modem sends for money in a trial, too.
    return settings.carrier == "simulator" and carrier not in ("modem", "smpp")


def _short(carrier: str) -> str:
    """One account, one name: Africa's Talking bills SMS and calls together."""
    return carrier.removesuffix("-sms").removesuffix("-voice")
