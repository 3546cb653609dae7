"""What was decided before this site had a hub: written down again for a new one, some at a time, so that nobody else
waits long for the store."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.tables import referral, screening, sync_event
from services.sync import down, photographs
from services.sync.events import record_result, record_visit
from services.sync.marks import mark, raise_mark, reset_mark

if TYPE_CHECKING:
    from services.sync.identity import Identity

_ENROLMENT, _DONE, _UNTIL = "enrolment", "history-done", "history-until"
_AT_ONCE = 100


def begin_for(tx: Connection, identity: Identity) -> None:
    """Begins from the start if the site was enrolled anew: the hub knows nothing of it, and it nothing of the hub's
    items. Cheap if it was not."""
    # Each enrolment makes a key of its own.
    enrolment = int.from_bytes(hashlib.sha256(identity.key).digest()[:7], "big")
    if mark(tx, _ENROLMENT) == enrolment:
        return
    tx.execute(sync_event.delete())
    photographs.start_anew(tx)
    newest = tx.execute(sa.select(sa.func.max(screening.c.id))).scalar() or 0
    for name, value in ((down.CURSOR, 0), (_DONE, 0), (_UNTIL, newest), (_ENROLMENT, enrolment)):
        reset_mark(tx, name, value)


def write_on(tx: Connection) -> bool:
    """Writes down some more of it. False once there is nothing left."""
    done, until = mark(tx, _DONE), mark(tx, _UNTIL)
    if done >= until:
        return False
    ids = tx.execute(
        sa.select(screening.c.id)
        .where(screening.c.id > done, screening.c.id <= until, screening.c.outcome.is_not(None))
        .order_by(screening.c.id)
        .limit(_AT_ONCE)
    ).scalars()
    last = until
    found = list(ids)
    for screening_id in found:
        record_result(tx, screening_id)
        row = tx.execute(
            sa.select(referral).where(referral.c.screening_id == screening_id, referral.c.answer.is_not(None))
        ).first()
        if row is not None:
            record_visit(tx, screening_id, answer=row.answer, reason=row.reason, by=row.answered_by, at=row.answered_at)
    if len(found) == _AT_ONCE:
        last = found[-1]
    raise_mark(tx, _DONE, last)
    return last < until
