"""Rows are added to, never multiplied, by threads and processes at once; days are those of the clinic."""

from __future__ import annotations

import multiprocessing
import threading

import pytest
import sqlalchemy as sa

from services.ledger.entries import Use, begins_ms, day_of, days_before, prune, spend
from services.runtime import Runtime
from services.store.clock import DAY_MS, now_ms
from services.store.database import Database
from services.store.tables import ledger_call, ledger_entry

ONE = Use("sms", "africastalking", "up", number=1, parts=2, cost_reported=7)
NOON_IN_NAIROBI = 1_750_000_000_000 // DAY_MS * DAY_MS + 9 * 3_600_000


def add(url: str, times: int) -> None:
    db = Database(url)
    for _ in range(times):
        with db.write() as tx:
            spend(tx, ONE, day="2026-03-01")
    db.close()


def test_threads_and_processes_lose_nothing(site: Runtime) -> None:
    url = site.settings.store_url
    workers = [threading.Thread(target=add, args=(url, 20)) for _ in range(4)]
    workers += [multiprocessing.get_context("spawn").Process(target=add, args=(url, 20)) for _ in range(2)]  # type: ignore[list-item]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    with site.db.read() as tx:
        row = tx.execute(sa.select(ledger_entry)).one()
    assert (row.number, row.parts, row.cost_reported, row.seconds) == (120, 240, 840, 0)


def test_what_is_rolled_back_was_not_spent(site: Runtime) -> None:
    def fail() -> None:
        with site.db.write() as tx:
            spend(tx, ONE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with site.db.read() as tx:
        assert tx.execute(sa.select(ledger_entry)).all() == []


def test_each_kind_has_its_row(site: Runtime) -> None:
    with site.db.write() as tx:
        for use in (ONE, ONE, Use("sms", "africastalking", "down", number=1), Use("sms", "other", "up", number=1)):
            spend(tx, use)
        spend(tx, Use("sms", "africastalking", "up", simulated=True, number=1))
        spend(tx, Use("sms", "nobody", "up"))
        rows = tx.execute(sa.select(ledger_entry.c.carrier, ledger_entry.c.direction, ledger_entry.c.number)).all()
    assert sorted(rows) == [
        ("africastalking", "down", 1),
        ("africastalking", "up", 1),
        ("africastalking", "up", 2),
        ("other", "up", 1),
    ]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("hours", "day"), [(0, "2025-06-15"), (11, "2025-06-15"), (12, "2025-06-16"), (-13, "2025-06-14")]
)
def test_a_day_ends_at_local_midnight(hours: int, day: str) -> None:
    assert day_of(NOON_IN_NAIROBI + hours * 3_600_000) == day


@pytest.mark.usefixtures("site")
def test_days() -> None:
    assert days_before("2026-03-01", 1) == "2026-02-28"
    assert day_of(begins_ms("2026-03-01")) == "2026-03-01"
    assert day_of(begins_ms("2026-03-01") - 1) == "2026-02-28"


def test_it_stays_small(site: Runtime) -> None:
    today = day_of(now_ms())
    with site.db.write() as tx:
        for days in (0, 399, 400, 401, 500):
            spend(tx, ONE, day=days_before(today, days))
        tx.execute(ledger_call.insert(), [{"session_id": "old", "ended_at": now_ms() - 8 * DAY_MS}])
        tx.execute(ledger_call.insert(), [{"session_id": "new", "ended_at": now_ms()}])
        assert prune(tx) == 3
        assert tx.execute(sa.select(sa.func.min(ledger_entry.c.day))).scalar_one() == days_before(today, 400)
        assert tx.execute(sa.select(ledger_call.c.session_id)).scalars().all() == ["new"]
