"""Does this machine's clock run forward? One that went back is noticed, counted, and told to the hub; nothing is ever
ordered by it."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from services.store.clock import MINUTE_MS
from services.sync.marks import mark, raise_mark, reset_mark

_LATEST, _BEHIND, _ROLLBACKS = "clock-latest", "clock-behind", "clock-rollbacks"
_TOLERATED_MS = MINUTE_MS  # a time server moves a clock by less
_RIGHT_MS = 5 * MINUTE_MS
_EVERY_MS = 5 * MINUTE_MS  # the mark is on disk: not every second


def behind_ms(tx: Connection, now: int) -> int:
    """By how much the clock is behind the latest time that this site ever saw; 0 while it runs forward. In a
    transaction that may write."""
    latest = mark(tx, _LATEST)
    behind = latest - now
    if behind <= _TOLERATED_MS:
        if now - latest >= _EVERY_MS:
            raise_mark(tx, _LATEST, now)
        if mark(tx, _BEHIND):
            reset_mark(tx, _BEHIND, 0)
        return 0
    if not mark(tx, _BEHIND):
        reset_mark(tx, _BEHIND, 1)
        reset_mark(tx, _ROLLBACKS, rollbacks(tx) + 1)
    return behind


def rollbacks(tx: Connection) -> int:
    """How often the clock went back at this site."""
    return mark(tx, _ROLLBACKS)


def told(tx: Connection, now: int, hub_now: int) -> None:
    """The hub said what time it is. A clock that agrees is right, even if it once ran ahead: it counts from here."""
    if abs(hub_now - now) <= _RIGHT_MS and mark(tx, _LATEST) - now > _TOLERATED_MS:
        reset_mark(tx, _LATEST, now)
        reset_mark(tx, _BEHIND, 0)
