"""What the hub has for a site: rows in order, given with each answer until the site says that it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import down, site
from services.store.clock import now_ms

_MOST_AT_ONCE = 50


def send_down(tx: Connection, site_id: int, kind: str, content: Mapping[str, Any]) -> int:
    """Leaves something for a site, in the transaction of its cause. Its number, which grows with each for one site."""
    lock_site(tx, site_id)
    values = {"site_id": site_id, "kind": kind, "content": dict(content), "created_at": now_ms()}
    number: int = tx.execute(down.insert().values(values).returning(down.c.id)).scalar_one()
    return number


def waiting(tx: Connection, site_id: int, after: int) -> list[dict[str, Any]]:
    """The next items `{"id", "kind", "content"}` of a site that has all up to number `after`, which is noted."""
    of_site = down.c.site_id == site_id
    tx.execute(down.update().where(of_site, down.c.id <= after, down.c.acked_at.is_(None)).values(acked_at=now_ms()))
    rows = tx.execute(
        sa.select(down.c.id, down.c.kind, down.c.content)
        .where(of_site, down.c.id > after)
        .order_by(down.c.id)
        .limit(_MOST_AT_ONCE)
    )
    return [dict(row) for row in rows.mappings()]


def lock_site(tx: Connection, site_id: int) -> None:
    """One transaction at a time for a site, until it ends: its numbers become visible in their order, and a cursor
    never passes one that is still to come."""
    tx.execute(sa.select(site.c.id).where(site.c.id == site_id).with_for_update())
