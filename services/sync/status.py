"""What an operator asks about sync: is this site enrolled, what waits, is there a link?"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.runtime import Runtime
from services.store.tables import sync_event
from services.sync import clock
from services.sync.identity import NotEnrolled, load
from services.sync.marks import mark
from services.sync.sender import SENT_AT


def status(site: Runtime) -> dict[str, Any]:
    """`{"enrolled", "site", "name", "hub", "waiting", "sent_at", "link", "link_since_ms", "clock_rollbacks"}`; None is
    unknown."""
    try:
        identity = load(site.settings.data_dir)
        found: dict[str, Any] = {"enrolled": True, "site": identity.site, "name": identity.name, "hub": identity.url}
    except NotEnrolled:
        found = {"enrolled": False, "site": None, "name": None, "hub": None}
    with site.db.read() as tx:
        found["waiting"] = tx.execute(sa.select(sa.func.count()).where(sync_event.c.acked_at.is_(None))).scalar_one()
        found["sent_at"] = mark(tx, SENT_AT) or None
        found["clock_rollbacks"] = clock.rollbacks(tx)
    seen = site.watch.site()
    return found | {"link": seen.link, "link_since_ms": seen.link_since_ms}
