"""A photograph that has to be taken again: waited for, asked for once more, and in the end referred.

What cannot be graded is never called normal (a second attempt refers, and so does none): an eye whose second photograph
does not come is one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.tables import photo, retake

REMIND_DAYS = 1
EXPIRE_DAYS = 14
"""Two rounds of a weekly clinic, and well before a code's 30 days are over."""


def wait_for_retake(tx: Connection, taken: Any, reason: str) -> None:
    """Waits for another photograph of this eye. `taken` is the photograph's row, `reason` the message id of why."""
    now = now_ms()
    key = {"screening_id": taken.screening_id, "eye": taken.eye}
    row = {
        "photo_id": taken.id,
        "reason": reason,
        "state": "asked",
        "asked_at": now,
        "next_at": now + REMIND_DAYS * DAY_MS,
    }
    if insert_once(tx, retake, key | row, key=("screening_id", "eye")) is None:
        tx.execute(
            retake.update().where(retake.c.screening_id == taken.screening_id, retake.c.eye == taken.eye).values(row)
        )


def settle_retake(tx: Connection, screening_id: int, eye: str | None = None, *, state: str = "done") -> None:
    """Waits no longer for this eye, or for any of this screening."""
    which = retake.c.eye == eye if eye else sa.true()
    tx.execute(
        retake.update()
        .where(retake.c.screening_id == screening_id, which, retake.c.next_at.is_not(None))
        .values(state=state, next_at=None)
    )


def has_come(tx: Connection, row: Any) -> bool:
    """Whether a newer photograph of the eye is here and only waits to be read, for power perhaps."""
    newer = sa.select(photo.c.id).where(
        photo.c.screening_id == row.screening_id,
        photo.c.eye == row.eye,
        photo.c.state == "attached",
        photo.c.id > row.photo_id,
    )
    return tx.execute(newer.limit(1)).first() is not None
