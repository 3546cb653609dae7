"""Work that waits for power: kept in the outbox as "held", where no queue, no retry and no power cut touches it."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.inference.choose import Priority, waits_for
from services.runtime import Runtime
from services.site.strain import Strain
from services.store.clock import now_ms
from services.store.tables import inbound, outbox, photo, screening

_LOG = logging.getLogger(__name__)
# What may wait. Urgent readings, calls and messages never do.
_MAY_WAIT: dict[str, Priority] = {"read_photo": "routine"}
_AT_A_TIME = 500
_BACK_AFTER_MS = 10_000


class Held(Exception):
    """Work that a worker found should wait; the text is the shortage."""


def must_wait(strain: Strain) -> list[str]:
    """The tasks that wait while a site is short of this."""
    return [task for task, priority in _MAY_WAIT.items() if waits_for(strain, priority)]


def hold_and_release(site: Runtime) -> int:
    """Holds back what should wait now, and lets go what need not wait any longer. How many rows changed.

    Each held photograph's sender is told once for its screening, in the transaction that holds it.
    """
    waiting = must_wait(site.watch.strain())
    with site.db.read() as tx:
        to_hold = _ids(tx, "pending", outbox.c.task.in_(waiting)) if waiting else []
        to_release = _ids(tx, "held", outbox.c.task.not_in(waiting))
    if not (to_hold or to_release):
        return 0
    with site.db.write() as tx:
        for row_id in to_hold:
            hold(tx, row_id)
        if to_release:
            tx.execute(
                outbox.update().where(outbox.c.id.in_(to_release), outbox.c.state == "held").values(state="pending")
            )
    _LOG.info("work held back or released", extra={"held": len(to_hold), "released": len(to_release)})
    return len(to_hold) + len(to_release)


def hold(tx: Connection, outbox_id: int) -> None:
    """Holds one row that is not done, and tells the sender of its photograph."""
    row = tx.execute(
        outbox.update()
        .where(outbox.c.id == outbox_id, outbox.c.state.in_(("pending", "dispatched")))
        # A new round: the queue knows the old one as done. Not released at once: a relay on another machine may have
        # power when this worker has none.
        .values(state="held", round=outbox.c.round + 1, not_before=now_ms() + _BACK_AFTER_MS)
        .returning(outbox.c.argument)
    ).first()
    if row is not None:
        _tell(tx, int(row.argument["photo_id"]))


def _ids(tx: Connection, state: str, which: sa.ColumnElement[bool]) -> list[Any]:
    due = sa.select(outbox.c.id).where(outbox.c.state == state, outbox.c.not_before <= now_ms(), which)
    return list(tx.execute(due.order_by(outbox.c.id).limit(_AT_A_TIME)).scalars())


def _tell(tx: Connection, photo_id: int) -> None:
    from services.screening.codes import code_of
    from services.screening.results import tell_worker

    row = tx.execute(
        sa.select(photo, inbound.c.kind, screening.c.code, screening.c.code_sealed)
        .join(inbound, inbound.c.id == photo.c.inbound_id)
        .join(screening, screening.c.id == photo.c.screening_id)
        .where(photo.c.id == photo_id)
    ).first()
    if row is not None:
        tell_worker(tx, row, "photo-kept", key=f"kept:{row.screening_id}", code=code_of(row))
