"""The sites of a hub and how they are: when they were last seen, and what they said of themselves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import result, site


def listed(tx: Connection) -> list[dict[str, Any]]:
    """Every site, oldest first: `{"id", "name", "enrolled_at", "revoked_at", "seen_at", "reported_at", "report",
    "results"}`. `report` is what `services.sync.report` writes, or None."""
    counts = (
        sa.select(result.c.site_id, sa.func.count().label("results"))
        .where(result.c.seq > 0, ~result.c.withdrawn)
        .group_by(result.c.site_id)
        .subquery()
    )
    rows = tx.execute(
        sa.select(
            site.c.id,
            site.c.name,
            site.c.enrolled_at,
            site.c.revoked_at,
            site.c.seen_at,
            site.c.reported_at,
            site.c.report,
            sa.func.coalesce(counts.c.results, 0).label("results"),
        )
        .outerjoin(counts, counts.c.site_id == site.c.id)
        .order_by(site.c.id)
    )
    return [dict(row) for row in rows.mappings()]
