"""The ledger's table: one row a day, purpose, carrier and direction, to which everything of that kind is added.

Some thirty rows a day however busy the site is. Messages and calls are added in the transaction of their effect, and
are exact; bytes come from `tally` some seconds later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from services.ledger.meter import Purpose
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.tables import ledger_call, ledger_entry

Direction = Literal["up", "down"]
"""As the site sees it: up to the network, down from it."""

KEPT_DAYS = 400
_REPEATED_MS = 7 * DAY_MS  # longer than a carrier repeats a callback
_KEY = ("day", "purpose", "carrier", "direction", "simulated")


@dataclass(frozen=True)
class Use:
    """What one thing took of the link or of a carrier's account. Costs are billionths of a dollar."""

    purpose: Purpose
    carrier: str
    direction: Direction
    simulated: bool = False
    """Carried by the stand-in: nobody bills it."""
    number: int = 0
    """Messages, calls or USSD sessions."""
    requests: int = 0
    """HTTP exchanges, whoever began them; on the row that goes up."""
    parts: int = 0
    seconds: int = 0
    bytes: int = 0
    """As counted: HTTP with headers; for the hub, what TLS made of it."""
    wire_bytes: int = 0
    """The same on the link, estimated."""
    cost_reported: int = 0
    cost_estimated: int = 0


def spend(tx: Connection, use: Use, *, day: str | None = None) -> None:
    """Adds one use to its row of `day`, by default today."""
    values: dict[str, Any] = asdict(use) | {"day": day or day_of(now_ms())}
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(ledger_entry).values(values)
    sums = {
        name: ledger_entry.c[name] + statement.excluded[name]
        for name, value in values.items()
        if name not in _KEY and value
    }
    if sums:
        tx.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=sums))


def day_of(at_ms: int) -> str:
    """The local day of a time, `YYYY-MM-DD`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(current().timezone)).date().isoformat()


def begins_ms(day: str) -> int:
    """When a local day begins."""
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(current().timezone)).timestamp() * 1000)


def days_before(day: str, days: int) -> str:
    """The day that lies so many days before another."""
    return (datetime.fromisoformat(day) - timedelta(days=days)).date().isoformat()


def prune(tx: Connection) -> int:
    """Forgets what is older than 400 days, and calls whose end can no longer come a second time. How many rows."""
    now = now_ms()
    old = ledger_entry.delete().where(ledger_entry.c.day < days_before(day_of(now), KEPT_DAYS))
    ended = ledger_call.delete().where(ledger_call.c.ended_at < now - _REPEATED_MS)
    return tx.execute(old).rowcount + tx.execute(ended).rowcount
