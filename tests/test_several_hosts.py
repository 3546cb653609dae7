"""A site on several hosts, with one PostgreSQL and one queue server with Sentinels; each loses its power in turn."""

from __future__ import annotations

import pytest

from services.bench import CannotMeasure
from services.bench import hosts as module
from services.bench.hosts import hosts


def test_whichever_machine_loses_its_power_nothing_is_lost_or_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MACHINES", ("queue-1", "a", "store"))
    try:
        found = hosts(rounds=3)
    except CannotMeasure as reason:
        pytest.skip(str(reason))
    assert found["screenings"] == 3 * module.SCREENINGS_A_ROUND
    assert found["photographs"] == 2 * found["screenings"]
    assert set(found["by_machine"]) == set(module.MACHINES)
    nothing = ("lost", "doubled_results", "doubled_messages", "gave_up", "still_waiting", "failed_tasks")
    assert {name: found[name] for name in nothing} == dict.fromkeys(nothing, 0)
