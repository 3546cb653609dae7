"""The figures of sync that the README gives, and the hub under many sites, in small."""

from __future__ import annotations

import pytest

from services.bench import sites as sites_module
from services.bench.sites import sites
from services.bench.sync import sync


def test_a_result_costs_what_it_should() -> None:
    found = sync()
    assert found["body_bytes_per_result"] <= 16
    assert found["wire_bytes_per_result"] <= 40
    assert found["body_bytes_per_result"] < found["wire_bytes_per_result"]
    assert found["gzip_json_bytes_per_result"] > 2 * found["body_bytes_per_result"]
    assert found["json_bytes_per_result"] > 10 * found["body_bytes_per_result"]
    assert 1000 < found["handshake_bytes"] < 4000
    assert found["results"] == 400


def test_many_sites_on_several_processes_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites_module, "_SITES", 12)
    monkeypatch.setattr(sites_module, "_DAYS", 2)
    found = sites()
    assert (found["sites"], found["results"], found["lost"], found["doubled"]) == (12, 12 * 200, 0, 0)
    assert found["batches"] == 12 * 4 + 2, "every tenth site sent one twice"
