"""What the operator reads: by day and purpose, the month's projection and the cost of a screening."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from phones import open_case

from services.ledger.entries import Use, begins_ms, days_before, spend
from services.ledger.money import NANO
from services.ledger.report import for_hub, month_for_hub, report, totals
from services.runtime import Runtime
from services.store.database import Database
from services.store.tables import screening

ROOT = Path(__file__).parents[3]
TODAY = "2026-03-12"


@pytest.fixture
def filled(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr("services.ledger.report.now_ms", lambda: begins_ms(TODAY) + 1000)
    open_case(site)
    with site.db.write() as tx:
        tx.execute(screening.update().values(decided_at=begins_ms("2026-03-11")))
        for day, cents in (("2026-02-27", 100), ("2026-03-08", 10), ("2026-03-11", 30), (TODAY, 8)):
            spend(tx, Use("sms", "at", "up", True, 2, parts=3, cost_reported=cents * NANO // 100), day=day)
        spend(tx, Use("sms", "at", "down", True, 1, bytes=400, wire_bytes=500, cost_estimated=1500), day=TODAY)
        spend(
            tx,
            Use("photographs", "hub", "up", requests=2, bytes=90, wire_bytes=10**8, cost_estimated=3 * 10**8),
            day=TODAY,
        )
        spend(tx, Use("photographs", "hub", "down", bytes=40, wire_bytes=50), day=TODAY)
    return site


def test_days_purposes_and_sums(filled: Runtime) -> None:
    found = report(filled, 2)
    assert (found.since, found.until) == ("2026-03-11", TODAY)
    assert [(line.day, line.purpose, line.simulated, line.number, line.parts) for line in found.lines] == [
        ("2026-03-11", "sms", True, 2, 3),
        (TODAY, "photographs", False, 0, 0),
        (TODAY, "sms", True, 3, 3),
    ]
    photographs, sms = found.lines[1:]
    assert (photographs.requests, photographs.bytes_up, photographs.wire_bytes_up) == (2, 90, 10**8)
    assert (sms.bytes_down, sms.wire_bytes_down, sms.cost_reported, sms.cost_estimated) == (400, 500, 0.08, 1.5e-06)
    assert found.cost == pytest.approx(0.68, abs=1e-4)
    assert (found.screenings, found.cost_a_screening) == (1, pytest.approx(0.68, abs=1e-4))


def test_the_month_goes_on_at_the_pace_of_the_last_week(filled: Runtime) -> None:
    found = report(filled, 1)
    assert found.month_so_far == pytest.approx(0.1 + 0.3 + 0.38, abs=1e-4)
    # 40 cents in the seven days before, 19 days are left.
    assert found.month_projected == pytest.approx(0.78 + 19 * 0.4 / 7, abs=1e-4)
    assert (found.screenings, found.cost_a_screening) == (0, None)


def test_a_new_site_goes_on_as_it_began(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ledger.report.now_ms", lambda: begins_ms("2026-03-30") + 1000)
    assert report(site, 7).month_projected == 0
    with site.db.write() as tx:
        spend(tx, Use("sms", "at", "up", cost_reported=NANO), day="2026-03-30")
    assert report(site, 7).month_projected == 2


def test_the_hub_hears_of_today(filled: Runtime) -> None:
    assert for_hub(filled) == {"photographs": [10**8, 50, 300_000], "sms": [0, 500, 80_002]}
    with filled.db.read() as tx:
        assert totals(tx, "2026-03-08") == {"sms": [0, 0, 100_000]}


def test_people_read_a_table(filled: Runtime) -> None:
    lines = list(report(filled, 1).as_text())
    assert [line.split() for line in lines[1:3]] == [
        [TODAY, "photographs", "2", "0", "0", "100.0", "MB", "50", "B~", "0.3000", "USD"],
        [TODAY, "sms", "3", "3", "0", "0", "B", "500", "B~", "0.0800", "USD", "simulated"],
    ]
    assert "this month: 0.7800 USD so far, 1.87 USD at this pace" in lines


def test_the_command(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "app.py"), "ledger", *arguments],
            env={**os.environ, "JICHO_DATA_DIR": str(tmp_path), "JICHO_BUDGET_USD_A_DAY": "2"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert "budget: 2.00 USD a day" in run()
    db = Database(f"sqlite:///{tmp_path / 'jicho.db'}")
    with db.write() as tx:
        today = tx.execute(sa.select(sa.func.date("now", "+3 hours"))).scalar_one()
        spend(tx, Use("sms", "at", "up", number=1, parts=1, cost_reported=NANO), day=today)
    db.close()
    found: dict[str, Any] = json.loads(run("--json", "--days", "3"))
    assert (found["until"], found["since"], found["cost_usd"]) == (today, days_before(today, 2), 1.0)
    assert found["lines"][0]["parts"] == 1


def test_the_hub_hears_of_the_month(filled: Runtime) -> None:
    assert month_for_hub(filled) == {"month": "2026-03", "bytes": 10**8 + 50 + 500, "cost": 780_002}
