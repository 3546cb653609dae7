"""How sites are, what they see and what is wrong, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hub_results import HTTPS, model_at, result_at, sign_in, site_at

from services.hub import work
from services.hub.application import create_hub
from services.hub.runtime import Hub
from services.hub.tables import site
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms

REPORT: dict[str, Any] = {
    "skew_ms": -7 * MINUTE_MS, "clock_rollbacks": 1, "backlog": 12, "oldest_ms": 2 * HOUR_MS, "battery_percent": 64,
    "on_mains": False, "disk_mb": 2048, "short_of": [], "model": "dr 0.2.0 full", "release": "0.1.0",
    "month": {"month": "2026-11", "bytes": 12_345_678, "cost": 2_340_000},
}  # fmt: skip


@pytest.fixture
def client(hub: Hub) -> Iterator[FlaskClient]:
    here, model = site_at(hub), model_at(hub)
    site_at(hub, "Bondo")
    site_at(hub, "<b>Kisumu</b>")
    with hub.db.write() as tx:
        tx.execute(site.update().where(site.c.id == here).values(report=REPORT, reported_at=now_ms()))
        tx.execute(site.update().where(site.c.name == "Bondo").values(seen_at=now_ms() - 50 * HOUR_MS))
        tx.execute(site.update().where(site.c.name.contains("Kisumu")).values(seen_at=None, revoked_at=None))
    result_at(hub, here, model, ("left", "referable"), ("right", "normal"), ref=1)
    result_at(hub, here, model, ("left", "normal"), ("right", "normal"), ref=2, outcome="rescreen")
    work.hourly()
    with create_hub().test_client() as browser:
        sign_in(hub, browser, role="operator")
        yield browser


def test_sites(client: FlaskClient) -> None:
    page = client.get("/sites", base_url=HTTPS).text
    for shown in (
        'Siaya <span class="state ok">ok</span>', 'Bondo <span class="state late">late</span>', "2 days ago",
        "12, the oldest for 2 hours", "64 %, on battery", "2048 MB free", "7 minutes behind; put back once",
        "dr 0.2.0 full", "12.3 MB on the link, 2.34 dollars", "Clock wrong", "Site not seen",
        '&lt;b&gt;Kisumu&lt;/b&gt; <span class="state never">never seen</span>',
    ):  # fmt: skip
        assert shown in page


def test_monitoring(client: FlaskClient) -> None:
    page = client.get("/monitoring", base_url=HTTPS).text
    assert "50.0 % (1 of 2; 9.5 %–90.5 %)" in page
    assert page.count("<svg") == 3, "no agreement yet: nothing was reviewed"
    assert "few negatives are reviewed" in page


def test_alerts(client: FlaskClient) -> None:
    page = client.get("/alerts", base_url=HTTPS).text
    assert page.count('<li class="card urgent">') == 2
    assert "Siaya: 7 minutes behind" in page
    assert "Bondo: last seen 2 days ago" in page
