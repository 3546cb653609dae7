"""A few of those who were called normal are looked at by a person too: nobody would otherwise learn what the model
misses. Sites do not send their photographs unasked, so the hub asks for them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.down import send_down
from services.hub.tables import drawn, result
from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once

WANTED = "photographs-wanted"
_RECENT_MS = 7 * DAY_MS
_THOUSAND = 1000


def draw(tx: Connection, share: float) -> int:
    """Draws this share, to a thousandth, of the newest results without referable signs. How many were new."""
    known = sa.exists().where(drawn.c.result_id == result.c.id)
    rows = tx.execute(
        sa.select(result.c.id, result.c.site_id, result.c.screening_ref)
        .where(
            result.c.received_at > now_ms() - _RECENT_MS,
            result.c.seq > 0,
            ~result.c.withdrawn,
            result.c.outcome == "rescreen",
            _chosen(share),
            ~known,
        )
        .order_by(result.c.site_id, result.c.id)
    ).all()
    new = [row for row in rows if insert_once(tx, drawn, {"result_id": row.id, "at": now_ms()}, key=("result_id",))]
    for row in new:
        send_down(tx, row.site_id, WANTED, {"screening": row.screening_ref})
    return len(new)


def _chosen(share: float) -> sa.ColumnElement[bool]:
    """By numbers in which what the photographs show has no part: successive screenings of a site step through all
    remainders."""
    number = (result.c.screening_ref * 7919 + result.c.site_id * 104_729) % _THOUSAND
    return number < round(share * _THOUSAND)
