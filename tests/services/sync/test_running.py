"""When a site talks to its hub, and when it does not: by its own clock, against a real hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from services.bench.clinic import day, write_day
from services.bench.hub import HubStack
from services.bench.proxy import Proxy
from services.bench.stack import free_port
from services.messaging.outbox import INFERENCE, enqueue
from services.runtime import Runtime
from services.site.link import remembered
from services.store.clock import now_ms
from services.store.tables import outbox, screening, sync_event
from services.sync import running
from services.sync.client import HubClient, HubError, hub_client
from services.sync.events import record
from services.sync.identity import Identity, enrol
from services.sync.running import LONGEST_BACKOFF_S, PROBE_EVERY_S, REPORT_EVERY_S, Courier

STEPS: list[str] = []


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def step(_site: Runtime, _client: HubClient) -> bool:
    STEPS.append("step")
    return False


def failing_step(_site: Runtime, _client: HubClient) -> bool:
    STEPS.append("failing")
    raise HubError("no such photograph", permanent=True, status=404)


@pytest.fixture(autouse=True)
def no_errands(monkeypatch: pytest.MonkeyPatch) -> None:
    STEPS.clear()
    monkeypatch.setattr(running, "ERRANDS", {})
    monkeypatch.setattr(running, "step_of", lambda name: {"fails": failing_step}.get(name, step))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courier(site: Runtime, enrolled: Identity, clock: Clock) -> Iterator[Courier]:
    assert enrolled
    site.watch._fresh_s = 3600
    with hub_client(site) as client:
        found = Courier(site, client, clock=clock)
        with site.db.write() as tx:
            write_day(tx, [])
        settle(found)
        yield found


def settle(courier: Courier) -> None:
    """Turns until there is nothing to do at once."""
    for _ in range(50):
        if courier.turn() > 0:
            return
    raise AssertionError("it never comes to rest")


def happen(site: Runtime, number: int = 1, *, urgent: bool = False, at: int | None = None) -> None:
    with site.db.write() as tx:
        for _ in range(number):
            row = day(1, 1)[0]
            ids = tx.execute(sa.select(sa.func.count()).select_from(screening)).scalar_one()
            values = {k: v for k, v in row.items() if k not in ("worker", "readings")}
            values |= {"code": str(ids), "worker_id": row["worker"], "language": "sw", "state": "decided"}
            number_of = tx.execute(screening.insert().values(values).returning(screening.c.id)).scalar_one()
            seq = record(tx, "result", row, screening_id=number_of, urgent=urgent)
            if at is not None:
                tx.execute(sync_event.update().where(sync_event.c.seq == seq).values(created_at=at))


def waiting(site: Runtime) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).where(sync_event.c.acked_at.is_(None))).scalar_one())


def told(site: Runtime, **probes: Any) -> None:
    plenty = {"battery_percent": None, "on_mains": True, "memory_mb": 4096, "disk_mb": 10_000}
    (site.settings.data_dir / "probes.json").write_text(json.dumps(plenty | probes))
    site.watch._due = 0  # it looks now, however long the last look took


def test_results_wait_until_a_batch_is_full(site: Runtime, courier: Courier) -> None:
    happen(site, 49)
    settle(courier)
    assert waiting(site) == 49
    happen(site)
    settle(courier)
    assert waiting(site) == 0


@pytest.mark.parametrize(("age_ms", "left"), [(299_000, 1), (301_000, 0), (-60_000, 0)])
def test_the_oldest_waits_five_minutes_at_most(site: Runtime, courier: Courier, age_ms: int, left: int) -> None:
    happen(site, at=now_ms() - age_ms)  # below 0: the clock went back since
    settle(courier)
    assert waiting(site) == left


def test_an_urgent_referral_goes_at_once_and_takes_the_others_along(site: Runtime, courier: Courier) -> None:
    happen(site, 3)
    happen(site, urgent=True)
    settle(courier)
    assert waiting(site) == 0


def test_a_report_goes_every_five_minutes(courier: Courier, clock: Clock) -> None:
    sent: list[bool] = []
    send = courier._sender.send
    courier._sender.send = lambda *, with_report=False: sent.append(with_report) or send(with_report=with_report)  # type: ignore[method-assign,func-returns-value]
    for _ in range(3):
        settle(courier)
    assert sent == []
    clock.now += REPORT_EVERY_S
    settle(courier)
    assert sent == [True]


def test_on_low_battery_results_go_last_and_once(site: Runtime, courier: Courier, clock: Clock) -> None:
    running.ERRANDS["photographs"] = "ours"
    happen(site, 2)
    with site.db.write() as tx:
        enqueue(tx, INFERENCE, "read_urgent_photo", {"photo_id": 1}, key="read:1")
        tx.execute(outbox.update().values(state="dispatched"))
    told(site, battery_percent=10, on_mains=False)
    clock.now += REPORT_EVERY_S
    settle(courier)
    assert waiting(site) == 2, "a photograph is being read"
    with site.db.write() as tx:
        tx.execute(outbox.update().values(state="done"))
    settle(courier)
    assert waiting(site) == 0, "the last thing it does"
    happen(site)
    settle(courier)
    assert waiting(site) == 1, "then as sparingly as ever"
    happen(site, urgent=True)
    settle(courier)
    assert waiting(site) == 0
    assert STEPS == [], "neither photographs nor models"
    told(site)
    clock.now += 60
    settle(courier)
    assert STEPS == ["step"]


def test_errands_wait_for_results_and_never_hold_them_up(site: Runtime, courier: Courier, clock: Clock) -> None:
    running.ERRANDS.update(fails="ours", works="ours")
    clock.now += 60
    happen(site, 50)
    courier.turn()
    assert (waiting(site), STEPS) == (0, [])
    settle(courier)
    assert STEPS == ["failing"]
    happen(site, 50)
    settle(courier)
    assert (waiting(site), STEPS) == (0, ["failing"])


def test_it_waits_ever_longer_but_a_minute_at_most(
    site: Runtime, courier: Courier, clock: Clock, served: HubStack, enrolled: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sync.running.random.uniform", lambda low, high: high if low == 0 else -1)
    served.command("revoke", str(enrolled.site))  # the link is up, and the hub refuses
    happen(site, 50)
    waits = []
    for _ in range(8):
        before = clock.now
        assert courier.turn() > 0
        failures = courier._failures
        while courier._failures == failures:
            clock.now += 0.5
            courier.turn()
        waits.append(clock.now - before)
    assert waits == [2, 4, 8, 16, 32, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S]
    failures = courier._failures
    happen(site, urgent=True)
    courier.turn()
    courier.turn()
    assert courier._failures == failures + 1, "what is urgent is tried at once, and once"


def test_a_link_that_comes_back_is_used_at_once(
    site: Runtime, enrolled: Identity, served: HubStack, clock: Clock
) -> None:
    port = free_port()
    with HubClient(replace(enrolled, url=f"https://127.0.0.1:{port}")) as client:
        courier = Courier(site, client, clock=clock)
        with site.db.write() as tx:
            write_day(tx, [])
        happen(site, 50)
        for _ in range(5):
            courier.turn()
        assert (remembered(site.settings.data_dir).up, waiting(site)) == (False, 50)
        since = remembered(site.settings.data_dir).since_ms
        with Proxy([("127.0.0.1", served.port)], listen=port) as proxy:
            settle(courier)
            assert waiting(site) == 50, "it has not looked yet"
            clock.now += PROBE_EVERY_S
            settle(courier)
            assert waiting(site) == 0
            assert proxy.take() > 0
        found = remembered(site.settings.data_dir)
        assert (found.up, found.since_ms is not None and since is not None and found.since_ms >= since) == (True, True)


def test_a_site_that_is_told_it_has_no_link_sends_nothing(site: Runtime, courier: Courier, clock: Clock) -> None:
    told(site, link=False)
    happen(site, 60, urgent=True)
    clock.now += REPORT_EVERY_S
    settle(courier)
    assert (waiting(site), site.watch.site().link) == (60, False)
    told(site)
    clock.now += PROBE_EVERY_S
    settle(courier)
    assert (waiting(site), remembered(site.settings.data_dir).up) == (0, True)


def test_it_waits_for_an_enrolment(site: Runtime, served: HubStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOOK_EVERY_S", 0.01)
    with site.db.write() as tx:
        write_day(tx, day(2, 3))
        tx.execute(screening.update().values(priority="urgent", outcome="refer"))
    looks: list[int] = []

    def stopping() -> bool:
        looks.append(1)
        if len(looks) == 5:
            enrol(site.settings.data_dir, served.code("First"))
        return len(looks) > 3000 or (len(looks) > 5 and waiting(site) == 0)

    running.run(site, stopping=stopping)
    assert (waiting(site), len(looks) < 3000) == (0, True)
