"""What a site screened, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.settings import current
from services.store.tables import reading, screening


@dataclass(frozen=True)
class Day:
    """Screenings decided, the share of them that was referred; photographs read, the share that nobody can grade."""

    decided: int = 0
    referred: float = 0.0
    photographs: int = 0
    ungradable: float = 0.0


def by_day(tx: Connection, since: date) -> dict[date, Day]:
    """Each day, local time, on which anything was decided or read."""
    zone = ZoneInfo(current().timezone)
    began = int(datetime(since.year, since.month, since.day, tzinfo=zone).timestamp() * 1000)
    decided = tx.execute(
        sa.select(screening.c.decided_at, screening.c.outcome).where(screening.c.decided_at >= began)
    ).all()
    read = tx.execute(sa.select(reading.c.read_at, reading.c.gradable).where(reading.c.read_at >= began)).all()
    outcomes: dict[date, list[bool]] = {}
    for row in decided:
        outcomes.setdefault(_day(row.decided_at, zone), []).append(row.outcome == "refer")
    graded: dict[date, list[bool]] = {}
    for row in read:
        graded.setdefault(_day(row.read_at, zone), []).append(not row.gradable)
    return {
        day: Day(
            len(outcomes.get(day, ())), _share(outcomes.get(day)), len(graded.get(day, ())), _share(graded.get(day))
        )
        for day in outcomes.keys() | graded.keys()
    }


def _day(at_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def _share(values: list[bool] | None) -> float:
    return sum(values) / len(values) if values else 0.0
