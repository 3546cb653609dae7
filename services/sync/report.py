"""How this site is, for the hub's overview: rides along with a batch, every five minutes at most."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services import VERSION
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.tables import reading, sync_event
from services.sync import clock

EXTRAS: dict[str, str] = {
    "ledger": "services.ledger.report:for_hub",
    "month": "services.ledger.report:month_for_hub",
    "photographs": "services.sync.photographs:backlog",
}
"""What other parts add under a name of theirs: "module:function" of a `function(site) -> something JSON can hold`."""


def report(site: Runtime) -> dict[str, Any]:
    """`{"now_ms", "clock_behind_ms", "clock_rollbacks", "backlog", "oldest_ms", "battery_percent", "on_mains",
    "memory_mb", "disk_mb", "short_of", "model", "release"}` and EXTRAS; None is unknown. Not within a transaction."""
    seen, short_of, now = site.watch.site(), sorted(site.watch.strain()), now_ms()
    with site.db.write() as tx:
        waiting, oldest = tx.execute(
            sa.select(sa.func.count(), sa.func.min(sync_event.c.created_at)).where(sync_event.c.acked_at.is_(None))
        ).one()
        found: dict[str, Any] = {
            "now_ms": now,
            "clock_behind_ms": clock.behind_ms(tx, now),
            "clock_rollbacks": clock.rollbacks(tx),
            "backlog": waiting,
            "oldest_ms": None if oldest is None else max(0, now - oldest),
            "battery_percent": seen.battery_percent,
            "on_mains": seen.on_mains,
            "memory_mb": None if seen.memory_mb is None else round(seen.memory_mb),
            "disk_mb": None if seen.disk_mb is None else round(seen.disk_mb),
            "short_of": short_of,
            "model": _model(tx),
            "release": VERSION,
        }
    for name, target in EXTRAS.items():
        module, function = target.split(":")
        found[name] = getattr(import_module(module), function)(site)
    return found


def _model(tx: Connection) -> str | None:
    """Of the last photograph that was read here."""
    last = tx.execute(
        sa.select(reading.c.model_name, reading.c.model_version, reading.c.tier).order_by(reading.c.id.desc()).limit(1)
    ).first()
    return None if last is None else " ".join(last)
