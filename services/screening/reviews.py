"""What reviewers at the hub found of a screening here, and which of it holds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.tables import review


def verdict_that_holds(tx: Connection, screening_id: int) -> Any:
    """The row of the last verdict that was applied here, or None."""
    return tx.execute(
        sa.select(review)
        .where(review.c.screening_id == screening_id, review.c.applied)
        .order_by(review.c.id.desc())
        .limit(1)
    ).first()


def has_to_come_again(tx: Connection, screening_id: int) -> bool:
    """Whether a reviewer asked for new photographs of a screening that is undecided since."""
    held = verdict_that_holds(tx, screening_id)
    return held is not None and held.outcome == "retake"


def verdicts_applied(tx: Connection, screening_id: int) -> int:
    """How many: what is told after another verdict is another message."""
    of_case = review.c.screening_id == screening_id, review.c.applied
    number: int = tx.execute(sa.select(sa.func.count()).where(*of_case)).scalar_one()
    return number
