"""The figures of a hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from prometheus_client.core import Metric

from services import VERSION
from services.hub.review_queue import count
from services.hub.runtime import Hub
from services.hub.tables import alert, result, site, upload
from services.metrics.exposition import Section, gauge
from services.store.clock import now_ms
from services.store.schema import schema_of

_RECENT_MS = 3_600_000


def sections(hub: Hub) -> Mapping[str, Section]:
    """What there is to know of a hub, by part."""
    return {"build": lambda: _build(hub), "sites": lambda: _sites(hub), "care": lambda: _care(hub)}


def _build(hub: Hub) -> Iterator[Metric]:
    with hub.db.read() as tx:
        schema = schema_of(tx) or ""
    yield gauge("build_info", "version of Jicho, schema of the store", ["version", "schema"], [((VERSION, schema), 1)])


def _sites(hub: Hub) -> Iterator[Metric]:
    enrolled = site.c.revoked_at.is_(None)
    with hub.db.read() as tx:
        rows = tx.execute(sa.select(site.c.id, site.c.seen_at).where(enrolled)).all()
    now = now_ms()
    seen = [((str(number),), at / 1000) for number, at in rows if at is not None]
    recent = sum(1 for _, at in rows if at is not None and at > now - _RECENT_MS)
    yield gauge("hub_sites", "sites that are enrolled", (), [((), len(rows))])
    yield gauge("hub_sites_recent", "sites that were seen in the last hour", (), [((), recent)])
    yield gauge("hub_site_seen_timestamp_seconds", "when a site was last seen", ["site"], seen)


def _care(hub: Hub) -> Iterator[Metric]:
    by = (result.c.programme, result.c.outcome)
    with hub.db.read() as tx:
        results = tx.execute(sa.select(*by, sa.func.count()).where(~result.c.withdrawn).group_by(*by)).all()
        alerts = tx.execute(
            sa.select(alert.c.kind, sa.func.count()).where(alert.c.closed_at.is_(None)).group_by(alert.c.kind)
        ).all()
        reviews = count(tx)
        uploads = tx.execute(sa.select(sa.func.count()).select_from(upload)).scalar_one()
    values = [((str(programme or "none"), str(outcome or "none")), n) for programme, outcome, n in results]
    yield gauge("hub_results", "results of all sites", ["programme", "outcome"], values)
    yield gauge("hub_alerts", "what is wrong now", ["kind"], [((kind,), n) for kind, n in alerts])
    yield gauge("hub_reviews_waiting", "cases that wait for a reviewer", (), [((), reviews)])
    yield gauge("hub_uploads", "photographs on their way", (), [((), uploads)])
