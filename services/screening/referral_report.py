"""What became of referrals, facility by facility."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.screening.referral import SETTLED
from services.settings import current
from services.store.clock import now_ms
from services.store.tables import facility, referral


@dataclass(frozen=True)
class Referrals:
    """How many patients were sent to a place; of them, whom a message or call reached, whom the last one did not reach,
    who went, and who is not known to have gone although the day has passed."""

    place: str
    opened: int
    reminded: int
    unreached: int
    attended: int
    overdue: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def referrals_by_facility(tx: Connection) -> list[Referrals]:
    """One line a facility, the one with the most referrals first; removed ones too, while somebody was sent there."""

    def count(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)

    opened = sa.func.count()
    waits = referral.c.state.not_in(SETTLED)
    rows = tx.execute(
        sa.select(
            facility.c.name,
            facility.c.town,
            opened.label("opened"),
            count(referral.c.messages > 0).label("reminded"),
            count(referral.c.state == "unreached").label("unreached"),
            count(referral.c.state == "attended").label("attended"),
            count(sa.and_(waits, referral.c.due_at < now_ms())).label("overdue"),
        )
        .select_from(referral.outerjoin(facility, facility.c.id == referral.c.facility_id))
        .group_by(facility.c.id, facility.c.name, facility.c.town)
        .order_by(opened.desc(), facility.c.id)
    )
    return [
        Referrals(
            f"{row.name}, {row.town}" if row.name is not None else current().referral_place or "the eye clinic",
            *map(int, row[2:]),
        )
        for row in rows
    ]
