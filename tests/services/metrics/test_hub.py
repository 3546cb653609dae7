"""A hub's figures, and who may have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services import settings
from services.hub import runtime
from services.hub.application import create_hub
from services.hub.runtime import Hub
from services.hub.tables import METADATA, alert, site
from services.store.clock import now_ms


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    current = runtime.current()
    current.db.create_missing(METADATA)
    yield current
    current.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


def test_sites_and_alerts(hub: Hub) -> None:
    now = now_ms()
    with hub.db.write() as tx:
        for number, seen in enumerate((now, now - 2 * 3_600_000, None)):
            values = {"name": f"Clinic {number}", "public_key": bytes([number]), "enrolled_at": 0, "seen_at": seen}
            tx.execute(site.insert().values(values))
        shown = {"kind": "unseen", "site_id": 2, "subject": "", "detail": {}, "opened_at": now, "seen_at": now}
        tx.execute(alert.insert().values(shown))
    client = create_hub().test_client()
    answer = client.get("/metrics")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert (found["jicho_hub_sites",], found["jicho_hub_sites_recent",]) == (3, 1)
    assert found["jicho_hub_alerts", "unseen"] == 1
    assert found["jicho_hub_site_seen_timestamp_seconds", "1"] == pytest.approx(now / 1000)
    assert "Clinic" not in answer.text
    assert not any(value for key, value in found.items() if key[0] == "jicho_section_failed")
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
