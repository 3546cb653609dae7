"""What a batch takes on its way to a real hub is in the ledger to the byte, its handshake included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fhir_cases import NORMAL, REFERABLE, decided
from served_hub import ServedHub
from wire import Relay

from services.runtime import Runtime
from services.sync.client import HubClient
from services.sync.sender import Sender

Entries = Callable[[], dict[tuple[str, str], dict[str, Any]]]


def test_a_batch_with_a_report(site: Runtime, entries: Entries, tmp_path: Path) -> None:
    decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    with ServedHub(tmp_path / "served") as served:
        identity = served.site("Siaya", site.settings.data_dir)
        relay = Relay(served.port)
        through = replace(identity, url=f"https://127.0.0.1:{relay.port}")
        with HubClient(through, count=site.tally.hub) as client:
            assert Sender(site, client).send_all() == 1
        relay.close()
    site.tally.flush()
    found = entries()
    up = sum(found[purpose, "up"]["bytes"] for purpose in ("results", "hub-reports"))
    down = sum(found[purpose, "down"]["bytes"] for purpose in ("results", "hub-reports"))
    # Behind the last answer TLS says goodbye: some two dozen bytes either way.
    assert up == pytest.approx(relay.up, abs=64)
    assert down == pytest.approx(relay.down, abs=64)
    assert {row["carrier"] for (purpose, _), row in found.items() if purpose in ("results", "hub-reports")} == {"hub"}
    assert not found["results", "up"]["simulated"]
