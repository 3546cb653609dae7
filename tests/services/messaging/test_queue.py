"""Outbox, relay and queue on a real Valkey: nothing lost, whatever dies."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from rq import Queue, SimpleWorker
from rq.job import Job, JobStatus

from services import queue, tasks
from services.launcher import _queue_server
from services.messaging.outbox import DELIVERY, enqueue
from services.runtime import Runtime
from services.store.tables import outbox

RUNS: list[int] = []


def note(_site: Runtime, argument: Mapping[str, Any]) -> None:
    """A task with one effect however often it runs; told to fail, it fails."""
    RUNS.append(argument["number"])
    if argument.get("fail"):
        raise ConnectionError("link is down")


@pytest.fixture(autouse=True)
def note_task(monkeypatch: pytest.MonkeyPatch) -> None:
    RUNS.clear()
    monkeypatch.setattr(tasks, "task", lambda _name: note)
    monkeypatch.setattr(queue, "task", lambda _name: note)


@pytest.fixture
def server(site: Runtime) -> Iterator[redis.Redis]:
    command = _queue_server(site.settings).command
    process = subprocess.Popen(command)
    queue.wait_until_ready(site.settings.queue_url)
    yield queue.connect(site.settings.queue_url)
    process.kill()
    process.wait()


def ask(site: Runtime, number: int, **more: Any) -> int:
    with site.db.write() as tx:
        row = enqueue(tx, DELIVERY, "note", {"number": number, **more}, key=f"note:{number}")
    assert row is not None
    return row


def work(connection: redis.Redis) -> None:
    SimpleWorker([DELIVERY], connection=connection).work(burst=True, logging_level="ERROR")


def states(site: Runtime) -> list[tuple[str, int]]:
    with site.db.read() as tx:
        return [(row.state, row.round) for row in tx.execute(sa.select(outbox).order_by(outbox.c.id))]


def test_asked_dispatched_done(site: Runtime, server: redis.Redis) -> None:
    for number in range(3):
        ask(site, number)
    assert queue.dispatch(server, site.db) == 3
    assert queue.dispatch(server, site.db) == 0
    assert Queue(DELIVERY, connection=server).count == 3
    work(server)
    assert RUNS == [0, 1, 2]
    assert states(site) == [("done", 0)] * 3


def test_urgent_work_goes_first_and_past_a_long_backlog(site: Runtime, server: redis.Redis) -> None:
    for number in range(5):
        ask(site, number)
    with site.db.write() as tx:
        enqueue(tx, DELIVERY, "read_urgent_photo", {"number": 99}, key="urgent")
    assert queue.dispatch(server, site.db, limit=3) == 3
    assert queue.dispatch(server, site.db) == 3
    work(server)
    assert RUNS == [99, 0, 1, 2, 3, 4]


def test_asking_twice_gets_one(site: Runtime) -> None:
    ask(site, 1)
    with site.db.write() as tx:
        assert enqueue(tx, DELIVERY, "note", {"number": 1}, key="note:1") is None


def test_a_crash_between_queue_and_mark_does_not_double(site: Runtime, server: redis.Redis) -> None:
    ask(site, 1)
    queue.dispatch(server, site.db)
    with site.db.write() as tx:
        tx.execute(outbox.update().values(state="pending"))
    queue.dispatch(server, site.db)
    assert Queue(DELIVERY, connection=server).count == 1


def test_a_wiped_queue_is_filled_again(site: Runtime, server: redis.Redis) -> None:
    for number in range(5):
        ask(site, number)
    queue.dispatch(server, site.db)
    server.flushall()
    assert queue.redispatch_lost(server, site.db) == 0, "too young to be called lost"
    assert queue.redispatch_lost(server, site.db, older_than_ms=-1) == 5
    queue.dispatch(server, site.db)
    work(server)
    assert sorted(RUNS) == list(range(5))


def test_what_still_waits_is_not_lost(site: Runtime, server: redis.Redis) -> None:
    ask(site, 1)
    queue.dispatch(server, site.db)
    assert queue.redispatch_lost(server, site.db, older_than_ms=-1) == 0


@pytest.mark.parametrize(
    ("status", "host_speaks", "lost"),
    [
        (JobStatus.QUEUED, True, 1),  # its worker died between taking it out and beginning
        (JobStatus.STARTED, True, 0),
        (JobStatus.STARTED, False, 1),
        (JobStatus.FAILED, True, 1),
    ],
)
def test_what_a_dead_host_had_taken_is_done_by_another(
    site: Runtime, server: redis.Redis, status: JobStatus, host_speaks: bool, lost: int
) -> None:
    ask(site, 1)
    queue.dispatch(server, site.db)
    (job_id,) = Queue(DELIVERY, connection=server).get_job_ids()
    server.lpop(f"rq:queue:{DELIVERY}")
    job = Job.fetch(job_id, connection=server)
    job.worker_name = f"{socket.gethostname()}.{DELIVERY}.0.4711"
    job.set_status(status)
    job.save()
    if host_speaks:
        queue.note_alive(server)
    assert queue.redispatch_lost(server, site.db, older_than_ms=-1) == lost
    queue.dispatch(server, site.db)
    work(server)
    assert [1] * lost == RUNS


def test_a_failure_is_tried_again_later_and_given_up_at_last(site: Runtime, server: redis.Redis) -> None:
    row = ask(site, 1, fail=True)
    with site.db.write() as tx:
        tx.execute(outbox.update().values(round=10))  # handed out often, after power cuts, but never failed
    for attempt in range(11, 16):
        queue.dispatch(server, site.db)
        work(server)
        assert states(site) == [("pending", attempt)]
        assert queue.dispatch(server, site.db) == 0, "not before its time"
        with site.db.write() as tx:
            tx.execute(outbox.update().values(not_before=0))
    queue.dispatch(server, site.db)
    work(server)
    assert states(site) == [("failed", 15)]
    with site.db.read() as tx:
        error = tx.execute(sa.select(outbox.c.error).where(outbox.c.id == row)).scalar_one()
    assert error == "ConnectionError: link is down"


def test_a_row_that_is_done_is_not_done_again(site: Runtime) -> None:
    row = ask(site, 1)
    queue.perform(row)
    queue.perform(row)
    queue.perform(row + 1000)
    assert RUNS == [1]


def test_a_queue_server_that_forgot_is_filled_again_once(site: Runtime, server: redis.Redis) -> None:
    assert queue.refill(server, site.db) == 0, "nothing was handed out yet"
    ask(site, 1)
    queue.dispatch(server, site.db)
    assert queue.refill(server, site.db) == 0
    server.flushall()
    assert queue.refill(server, site.db) == 1
    assert states(site) == [("pending", 1)]
    queue.dispatch(server, site.db)
    assert queue.refill(server, site.db) == 0, "it still has what it was given since"


def test_orphans_of_a_killed_predecessor_are_released(site: Runtime, server: redis.Redis) -> None:
    ask(site, 1)
    queue.dispatch(server, site.db)
    job = Queue(DELIVERY, connection=server).jobs[0]
    worker = SimpleWorker([DELIVERY], name="clinic.delivery.0.99", connection=server)
    worker.prepare_execution(job)
    worker.prepare_job_execution(job)
    queue._release_orphans(server, DELIVERY, "clinic.delivery.1.")
    assert states(site) == [("dispatched", 0)], "another slot's job is not touched"
    queue._release_orphans(server, DELIVERY, "clinic.delivery.0.")
    assert states(site) == [("pending", 1)]
