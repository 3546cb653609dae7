"""Counts bytes in memory and adds them to the ledger every few seconds: no callback waits for its own counting.

A process that is killed loses the bytes of its last seconds; messages and calls are counted elsewhere, exactly.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from services.ledger.charges import cost, price
from services.ledger.entries import Use, day_of, spend
from services.ledger.meter import Purpose
from services.ledger.wire import Exchange, on_the_wire, with_tls
from services.settings import current
from services.store.clock import now_ms
from services.store.database import Database

_LOG = logging.getLogger(__name__)
FLUSH_S = 5.0
_MEGABYTE = 1_000_000
_CONNECTIONS, _SESSIONS = 512, 4_096  # remembered: far more than are open at a time
_HUB = "hub"
_STAND_INS = frozenset({"africastalking", "whatsapp", "mm7", "twilio"})
_Key = tuple[str, Purpose, str, bool]


@dataclass
class _Sum:
    exchanges: int = 0
    connections: int = 0
    sent: int = 0
    received: int = 0
    tls_exchanges: int = 0
    tls_sent: int = 0
    tls_received: int = 0
    sessions: int = 0
    cost_reported: int = 0
    cost_estimated: int = 0


class Tally:
    """The counters of one process; any thread may add. `db` is asked for when there is something to write."""

    def __init__(self, db: Callable[[], Database], *, flush_s: float = FLUSH_S) -> None:
        self._db, self._flush_s = db, flush_s
        self._lock = threading.Lock()
        self._sums: dict[_Key, _Sum] = {}
        self._connections: OrderedDict[str, None] = OrderedDict()
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._timer: threading.Timer | None = None
        atexit.register(self._write)

    def record(self, purpose: Purpose, carrier: str, exchange: Exchange) -> None:
        """Counts one HTTP exchange over the wide-area link."""
        with self._lock:
            found = self._sum(purpose, carrier)
            found.exchanges += 1
            found.sent += exchange.sent
            found.received += exchange.received
            if not exchange.connection or _is_new(self._connections, exchange.connection, _CONNECTIONS):
                found.connections += 1

    def hub(self, purpose: str, sent: int, received: int) -> None:
        """Counts one exchange with the hub, whose client sees what TLS puts on its socket, handshakes included."""
        with self._lock:
            found = self._sum(cast(Purpose, purpose), _HUB)
            found.tls_exchanges += 1
            found.tls_sent += sent
            found.tls_received += received

    def ussd_turn(self, carrier: str, session_id: str) -> None:
        """Counts a session once, at the price of the settings until the carrier says what it cost."""
        with self._lock:
            if _is_new(self._sessions, session_id, _SESSIONS):
                found = self._sum("ussd", carrier)
                found.sessions += 1
                found.cost_estimated += price(current().price_ussd_session)

    def ussd_end(self, carrier: str, session_id: str, reported: str) -> None:
        """The carrier's word that a session ended, and its cost, which replaces ours. It does not always come."""
        expected = price(current().price_ussd_session)
        said, estimated = cost(reported, expected)
        with self._lock:
            found = self._sum("ussd", carrier)
            if self._sessions.pop(session_id, "unknown") == "unknown":
                found.sessions += 1
                found.cost_estimated += expected
            found.cost_reported += said
            found.cost_estimated += estimated - expected

    def flush(self) -> None:
        """Adds what was counted to the ledger. Raises what the store raises; what was counted is then kept."""
        with self._lock:
            taken, self._sums = self._sums, {}
        if not taken:
            return
        try:
            with self._db().write() as tx:
                for key in sorted(taken):  # always in one order: two processes must not wait for each other
                    for use in _uses(key, taken[key]):
                        spend(tx, use, day=key[0])
        except Exception:
            with self._lock:
                for key, found in taken.items():
                    _add(self._sums.setdefault(key, _Sum()), found)
            raise

    def pending(self, day: str) -> int:
        """What this process counted of a day and has not written yet, in billionths of a dollar."""
        with self._lock:
            uses = [use for key, found in self._sums.items() if key[0] == day for use in _uses(key, found)]
        return sum(use.cost_reported + use.cost_estimated for use in uses)

    def stop(self) -> None:
        """Writes nothing any more: what was not flushed is forgotten."""
        with self._lock:
            self._sums = {}
            if self._timer is not None:
                self._timer.cancel()

    def _sum(self, purpose: Purpose, carrier: str) -> _Sum:
        if not self._sums:
            self._timer = threading.Timer(self._flush_s, self._write)
            self._timer.daemon = True
            self._timer.start()
        simulated = carrier in _STAND_INS and current().carrier == "simulator"
        return self._sums.setdefault((day_of(now_ms()), purpose, carrier, simulated), _Sum())

    def _write(self) -> None:
        try:
            self.flush()
        except Exception as error:
            # Bytes are the least of a site's worries when its store is away.
            _LOG.warning("ledger not written", extra={"reason": type(error).__name__})


def _uses(key: _Key, found: _Sum) -> tuple[Use, Use]:
    _, purpose, carrier, simulated = key
    sent, received = with_tls(found.sent, found.received, exchanges=found.exchanges, connections=found.connections)
    exchanges = found.exchanges + found.tls_exchanges
    up, down = on_the_wire(
        sent + found.tls_sent, received + found.tls_received, exchanges=exchanges, connections=found.connections
    )
    megabyte = price(current().price_megabyte)
    return (
        Use(
            purpose,
            carrier,
            "up",
            simulated,
            requests=exchanges,
            bytes=found.sent + found.tls_sent,
            wire_bytes=up,
            cost_estimated=up * megabyte // _MEGABYTE,
        ),
        Use(
            purpose,
            carrier,
            "down",
            simulated,
            number=found.sessions,
            bytes=found.received + found.tls_received,
            wire_bytes=down,
            cost_reported=found.cost_reported,
            cost_estimated=found.cost_estimated + down * megabyte // _MEGABYTE,
        ),
    )


def _add(into: _Sum, other: _Sum) -> None:
    for name, value in vars(other).items():
        setattr(into, name, getattr(into, name) + value)


def _is_new(seen: OrderedDict[str, None], key: str, most: int) -> bool:
    if key in seen:
        return False
    seen[key] = None
    if len(seen) > most:
        seen.popitem(last=False)
    return True
