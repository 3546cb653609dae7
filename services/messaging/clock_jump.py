"""The site's clock jumps, as clocks without a battery do at each start: what waits is moved along with it.

Every waiting time in the store is a time of day. When the clock goes back by a day, work that was to be tried again in
half a minute would wait until tomorrow; when it goes forward, an answer that was to be kept for three days loses one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import DeliveryState
from services.store.clock import now_ms
from services.store.tables import caller, conversation, follow_up, message, outbox, referral, retake

JUMP_MS = 30_000
"""Less is a clock being set right little by little, which no waiting time minds."""

_OPEN = (DeliveryState.PENDING, DeliveryState.SENDING)
# Each time that is compared with the present, and the rows for which it still will be.
_AWAITED: tuple[tuple[sa.Column[int], sa.ColumnElement[bool]], ...] = (
    (outbox.c.not_before, outbox.c.state.in_(("pending", "held")) & (outbox.c.not_before > 0)),
    (outbox.c.dispatched_at, outbox.c.state == "dispatched"),
    (message.c.expires_at, message.c.state.in_(_OPEN)),
    (message.c.sent_at, message.c.state == DeliveryState.SENDING),
    (caller.c.locked_until, caller.c.locked_until.is_not(None)),
    (conversation.c.updated_at, conversation.c.state != "ended"),
    (referral.c.next_at, referral.c.next_at.is_not(None)),
    (follow_up.c.next_at, follow_up.c.next_at.is_not(None)),
    (retake.c.next_at, retake.c.next_at.is_not(None)),
)


class ClockWatch:
    """Compares the clock on the wall with one that only counts."""

    def __init__(self, *, wall_ms: Callable[[], int] = now_ms, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._wall_ms, self._steady_s = wall_ms, steady_s
        self._ahead_ms = self._ahead()

    def jumped_ms(self) -> int:
        """By how many milliseconds the clock went forward (below 0: back) since this was last asked; 0: it did not."""
        jumped = self._ahead() - self._ahead_ms
        if abs(jumped) < JUMP_MS:
            return 0
        self._ahead_ms += jumped
        return jumped

    def _ahead(self) -> int:
        return self._wall_ms() - round(self._steady_s() * 1000)


def behind_ms(tx: Connection) -> int:
    """By how many milliseconds the clock, below 0, is behind the newest work in the store: at a start, nothing else
    tells that it went back while the machine was off. 0 if it is not."""
    newest = tx.execute(sa.select(sa.func.max(outbox.c.created_at))).scalar_one()
    behind = now_ms() - (newest or 0)
    return behind if behind < -JUMP_MS else 0


def follow(tx: Connection, jumped_ms: int) -> None:
    """Moves every waiting time by as much as the clock jumped."""
    for column, waits in _AWAITED:
        tx.execute(column.table.update().where(waits).values({column: column + jumped_ms}))
