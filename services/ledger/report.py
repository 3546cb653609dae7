"""What a site used and what it cost: by day and purpose, as a month's projection, and for each screening."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.ledger.entries import begins_ms, day_of, days_before
from services.ledger.money import dollars
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.tables import ledger_entry, screening

_RECENT_DAYS = 7
_WIRE = ledger_entry.c.wire_bytes
_COST = ledger_entry.c.cost_reported + ledger_entry.c.cost_estimated


@dataclass(frozen=True)
class Line:
    """All of a day's uses for one purpose. Costs are dollars."""

    day: str
    purpose: str
    simulated: bool
    number: int
    requests: int
    parts: int
    seconds: int
    bytes_up: int
    bytes_down: int
    wire_bytes_up: int
    wire_bytes_down: int
    cost_reported: float
    cost_estimated: float

    @property
    def cost(self) -> float:
        return self.cost_reported + self.cost_estimated


@dataclass(frozen=True)
class Report:
    """The lines of some days up to today, and what they add up to. Costs are dollars."""

    since: str
    until: str
    lines: list[Line]
    screenings: int
    month_so_far: float
    month_projected: float
    budget_a_day: float

    @property
    def cost(self) -> float:
        return sum(line.cost for line in self.lines)

    @property
    def cost_a_screening(self) -> float | None:
        return self.cost / self.screenings if self.screenings else None

    def as_json(self) -> dict[str, Any]:
        """The same for a machine; everything called estimated is."""
        return {
            "since": self.since,
            "until": self.until,
            "lines": [asdict(line) for line in self.lines],
            "cost_usd": round(self.cost, 6),
            "screenings": self.screenings,
            "cost_usd_a_screening": None if self.cost_a_screening is None else round(self.cost_a_screening, 6),
            "month_so_far_usd": round(self.month_so_far, 6),
            "month_projected_usd": round(self.month_projected, 6),
            "budget_usd_a_day": self.budget_a_day,
            "estimated": ["wire_bytes_up", "wire_bytes_down", "cost_estimated", "month_projected_usd"],
        }

    def as_text(self) -> Iterator[str]:
        """A table of it."""
        yield "day         purpose       number   parts  seconds         up       down        cost"
        for line in self.lines:
            number = line.number or line.requests
            mark = "~" if line.cost_estimated else " "
            yield (
                f"{line.day}  {line.purpose:12}{number:8}{line.parts:8}{line.seconds:9}"
                f"{_size(line.wire_bytes_up):>11}{_size(line.wire_bytes_down):>11}{mark}{line.cost:10.4f} USD"
                f"{'  simulated' if line.simulated else ''}"
            )
        yield f"{self.since} to {self.until}: {self.cost:.4f} USD"
        if self.cost_a_screening is not None:
            yield f"{self.screenings} screenings decided: {self.cost_a_screening:.4f} USD each"
        yield f"this month: {self.month_so_far:.4f} USD so far, {self.month_projected:.2f} USD at this pace"
        if self.budget_a_day:
            yield f"budget: {self.budget_a_day:.2f} USD a day"
        yield "~ holds an estimate; bytes are those on the link, estimated from what was counted"


def report(site: Runtime, days: int) -> Report:
    """The last so many days, today included."""
    today = day_of(now_ms())
    since = days_before(today, days - 1)
    with site.db.read() as tx:
        decided = sa.select(sa.func.count()).where(screening.c.decided_at >= begins_ms(since))
        so_far = _cost(tx, since=today[:8] + "01", until=today)
        recent = _recent_pace(tx, today)
        return Report(
            since=since,
            until=today,
            lines=list(_lines(tx, since)),
            screenings=tx.execute(decided).scalar_one(),
            month_so_far=dollars(so_far),
            month_projected=dollars(so_far + round(recent * _days_left(today))),
            budget_a_day=site.settings.budget_usd_a_day,
        )


def for_hub(site: Runtime) -> dict[str, list[int]]:
    """Today by purpose: bytes up and down on the link, and the cost in millionths of a dollar."""
    with site.db.read() as tx:
        return totals(tx, day_of(now_ms()))


def month_for_hub(site: Runtime) -> dict[str, Any]:
    """This month so far: `{"month", "bytes", "cost"}`, on the link both ways and in millionths of a dollar."""
    today = day_of(now_ms())
    first = today[:8] + "01"
    with site.db.read() as tx:
        sums = sa.select(sa.func.coalesce(sa.func.sum(_WIRE), 0)).where(ledger_entry.c.day >= first)
        moved = int(tx.execute(sums).scalar_one())
        return {"month": today[:7], "bytes": moved, "cost": round(_cost(tx, since=first, until=today) / 1000)}


def totals(tx: Connection, day: str) -> dict[str, list[int]]:
    """One day by purpose: bytes up and down on the link, and the cost in millionths of a dollar."""
    rows = tx.execute(
        sa.select(ledger_entry.c.purpose, _way("up", _WIRE), _way("down", _WIRE), sa.func.sum(_COST))
        .where(ledger_entry.c.day == day)
        .group_by(ledger_entry.c.purpose)
        .order_by(ledger_entry.c.purpose)
    )
    return {purpose: [int(up), int(down), round(int(nano) / 1000)] for purpose, up, down, nano in rows}


def _lines(tx: Connection, since: str) -> Iterator[Line]:
    entry = ledger_entry.c
    key = (entry.day, entry.purpose, entry.simulated)
    sums = (entry.number, entry.requests, entry.parts, entry.seconds, entry.cost_reported, entry.cost_estimated)
    rows = tx.execute(
        sa.select(
            *key,
            *(sa.func.sum(each).label(each.name) for each in sums),
            _way("up", entry.bytes).label("bytes_up"),
            _way("down", entry.bytes).label("bytes_down"),
            _way("up", entry.wire_bytes).label("wire_bytes_up"),
            _way("down", entry.wire_bytes).label("wire_bytes_down"),
        )
        .where(entry.day >= since)
        .group_by(*key)
        .order_by(*key)
    )
    for row in rows:
        yield Line(
            day=row.day,
            purpose=row.purpose,
            simulated=row.simulated,
            number=int(row.number),
            requests=int(row.requests),
            parts=int(row.parts),
            seconds=int(row.seconds),
            bytes_up=int(row.bytes_up),
            bytes_down=int(row.bytes_down),
            wire_bytes_up=int(row.wire_bytes_up),
            wire_bytes_down=int(row.wire_bytes_down),
            cost_reported=dollars(int(row.cost_reported)),
            cost_estimated=dollars(int(row.cost_estimated)),
        )


def _way(direction: str, column: sa.Column[int]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((ledger_entry.c.direction == direction, column), else_=0))


def _cost(tx: Connection, *, since: str, until: str) -> int:
    total = sa.select(sa.func.coalesce(sa.func.sum(_COST), 0))
    return int(tx.execute(total.where(ledger_entry.c.day >= since, ledger_entry.c.day <= until)).scalar_one())


def _recent_pace(tx: Connection, today: str) -> float:
    """What one of the last seven whole days cost, or, on a new site, what today did."""
    first = tx.execute(sa.select(sa.func.min(ledger_entry.c.day))).scalar()
    if first is None or first >= today:
        return float(_cost(tx, since=today, until=today))
    since = max(first, days_before(today, _RECENT_DAYS))
    days = (date.fromisoformat(today) - date.fromisoformat(since)).days
    return _cost(tx, since=since, until=days_before(today, 1)) / days


def _days_left(today: str) -> int:
    on = date.fromisoformat(today)
    return calendar.monthrange(on.year, on.month)[1] - on.day


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
