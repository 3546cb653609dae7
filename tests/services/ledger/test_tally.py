"""Bytes are counted in memory and reach the ledger: in time, at the end of a process, and not twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.bench.stack import free_port
from services.ledger.entries import day_of
from services.ledger.tally import Tally
from services.ledger.wire import Exchange
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.database import Database
from services.store.tables import ledger_entry

Entries = Callable[[], dict[tuple[str, str], dict[str, Any]]]
ROOT = Path(__file__).parents[3]


def test_what_threads_count_adds_up(site: Runtime, entries: Entries) -> None:
    def count() -> None:
        for number in range(500):
            site.tally.record("ussd", "africastalking", Exchange(100, 300, f"10.0.0.1:{number % 3}"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    site.tally.flush()
    site.tally.flush()
    up, down = entries()["ussd", "up"], entries()["ussd", "down"]
    assert (up["requests"], up["bytes"], down["bytes"], up["simulated"]) == (2000, 200_000, 600_000, True)
    # 3 connections, and 75 bytes an exchange besides: what was measured.
    assert up["wire_bytes"] == pytest.approx(200_000 * 1.039 + 600_000 * 0.013 + 2000 * 75 + 3 * 1233, rel=0.01)
    assert down["wire_bytes"] == pytest.approx(600_000 * 1.039 + 200_000 * 0.013 + 2000 * 75 + 3 * 3890, rel=0.01)
    assert up["cost_estimated"] == up["wire_bytes"] * 3
    assert (up["cost_reported"], down["cost_reported"]) == (0, 0)


def test_the_hub_is_no_stand_in_and_its_handshakes_are_inside(site: Runtime, entries: Entries) -> None:
    site.tally.hub("results", 4_000, 5_000)
    site.tally.flush()
    up = entries()["results", "up"]
    assert (up["carrier"], up["simulated"], up["bytes"], up["requests"]) == ("hub", False, 4_000, 1)
    assert up["wire_bytes"] == pytest.approx(4_000 * 1.038 + 5_000 * 0.013 + 53, abs=2)


def test_it_is_written_by_itself(site: Runtime, entries: Entries) -> None:
    tally = Tally(lambda: site.db, flush_s=0.02)
    for _ in range(2):
        tally.record("call", "africastalking", Exchange(1, 1))
        deadline = time.monotonic() + 20
        while tally.pending(day_of(now_ms())) and time.monotonic() < deadline:
            time.sleep(0.01)
    deadline = time.monotonic() + 20
    while entries().get(("call", "up"), {}).get("requests") != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_store_that_is_away_loses_nothing(site: Runtime, entries: Entries) -> None:
    away = [True]

    def db() -> Database:
        if away[0]:
            raise sa.exc.OperationalError("BEGIN", {}, Exception("away"))
        return site.db

    tally = Tally(db, flush_s=3600)
    tally.record("mms", "mm7", Exchange(10, 20))
    with pytest.raises(sa.exc.OperationalError):
        tally.flush()
    tally.record("mms", "mm7", Exchange(10, 20))
    away[0] = False
    tally.flush()
    assert (entries()["mms", "up"]["requests"], entries()["mms", "down"]["bytes"]) == (2, 40)


def test_a_session_costs_what_the_carrier_says(site: Runtime, entries: Entries) -> None:
    shilling = 7_751_938  # 1/129 of a dollar, in billionths
    for turn in range(9):
        site.tally.ussd_turn("africastalking", f"session-{turn // 3}")
    site.tally.flush()
    assert (entries()["ussd", "down"]["number"], entries()["ussd", "down"]["cost_estimated"]) == (3, 3 * shilling)
    site.tally.ussd_end("africastalking", "session-0", "KES 2.0000")
    site.tally.ussd_end("africastalking", "session-1", "")
    site.tally.ussd_end("africastalking", "of-another-process", "KES 1.0000")
    site.tally.flush()
    row = entries()["ussd", "down"]
    assert (row["number"], row["cost_reported"]) == (4, 15_503_876 + shilling)
    assert row["cost_estimated"] == 2 * shilling  # the end of one never came, another's had no price


def test_an_orderly_end_writes_what_was_counted(site: Runtime, entries: Entries) -> None:
    """`SIGTERM` is how the launcher stops the gateway."""
    script = (
        "import app, threading, time, sys\n"
        "from services import runtime\nfrom services.ledger.wire import Exchange\n"
        "def count():\n"
        "    runtime.current().tally.record('web', 'web', Exchange(7, 9))\n"
        "    print('counted', flush=True)\n"
        "threading.Timer(0.3, count).start()\n"
        "app.main(['gateway'])\n"
    )
    environment = {
        **os.environ,
        "JICHO_DATA_DIR": str(site.settings.data_dir),
        "JICHO_PORT": str(free_port()),
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert entries()["web", "up"]["bytes"] == 7


def test_a_new_day_has_a_new_row(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((1_750_000_000_000, 1_750_000_000_000 + 86_400_000))
    monkeypatch.setattr("services.ledger.tally.now_ms", lambda: next(times))
    for _ in range(2):
        site.tally.record("web", "web", Exchange(1, 1))
    site.tally.flush()
    with site.db.read() as tx:
        days = tx.execute(sa.select(ledger_entry.c.day).distinct().order_by(ledger_entry.c.day)).scalars().all()
    assert days == ["2025-06-15", "2025-06-16"]
