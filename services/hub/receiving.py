"""What a batch changes at the hub, in one transaction; the same whatever comes twice, late or in another order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.down import lock_site, waiting
from services.hub.tables import site
from services.store.clock import now_ms
from services.sync.batch import Answer, Batch, Down, Event

Handler = Callable[[Connection, int, Sequence[Event]], None]

KINDS = {
    "result": "services.hub.results:store_results",
    "withdrawn": "services.hub.results:delete_withdrawn",
    "visit": "services.hub.results:store_visits",
    "verdict-told": "services.hub.reviewing:was_told",
}
"""What takes the events of a kind: `handler(tx, site_id, events)`, in their order; may be called twice with one."""


def receive(tx: Connection, site_id: int, batch: Batch) -> Answer:
    """Stores a batch. What is in the answer may be taken as done once the transaction is committed. Raises BatchError
    for events that their kinds do not allow; events of kinds that this release does not know are passed over."""
    lock_site(tx, site_id)
    for kind, target in KINDS.items():
        if events := [event for event in batch.events if event.kind == kind]:
            module, name = target.split(":")
            handler: Handler = getattr(import_module(module), name)
            handler(tx, site_id, events)
    now = now_ms()
    values: dict[str, object] = {"seen_at": now}
    if batch.report is not None:
        values |= {"report": _with_skew(batch.report, now), "reported_at": now}
    highest = max((event.seq for event in batch.events), default=0)
    before: int = tx.execute(sa.select(site.c.highest_seq).where(site.c.id == site_id)).scalar_one()
    if highest > before:
        values["highest_seq"] = highest
    tx.execute(site.update().where(site.c.id == site_id).values(values))
    found = [Down(**item) for item in waiting(tx, site_id, batch.down_seen)]
    return Answer(now, max(highest, before), found)


def _with_skew(report: dict[str, Any], now: int) -> dict[str, Any]:
    """The report with `skew_ms`: how far the site's clock is ahead of the hub's, the way included."""
    there = report.get("now_ms")
    return report | {"skew_ms": there - now if isinstance(there, int) else None}
