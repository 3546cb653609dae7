"""The one place that knows RQ.

The queue is disposable: what it holds is always also in the outbox, and `perform` may run twice for the same row.
Every worker listens on exactly one queue, because only then does RQ move a job atomically (with several it pops, and a
worker killed at that moment loses the job).
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import sqlalchemy as sa
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry

from services import runtime as runtime_module
from services.logs import CAUSE, redact
from services.messaging.holding import Held, hold
from services.queue_server import connect as connect
from services.store.clock import now_ms
from services.store.database import Database
from services.store.tables import outbox
from services.tasks import task

_LOG = logging.getLogger(__name__)
_JOB_TIMEOUT_S = 120
_KEEP_S = 600
_SILENT_S = 480  # an idle worker speaks every seven minutes
_MAX_JOBS = 2_000  # a worker is replaced before a slow leak of a C library can matter
_RETRY_S = (2, 10, 60, 300, 1800)
# A patient waits for her call, and somebody who is losing her sight for her answer; the rest does not mind.
_URGENT = ("prepare_call", "prepare_note", "read_urgent_photo")
_HELD = "jicho:held"
"""A mark in the queue server: while it is there, so is the rest."""
_ALIVE, _ALIVE_S = "jicho:alive:", 10
"""A mark of each host that has said so within ten seconds."""
_WAITING = {JobStatus.DEFERRED, JobStatus.SCHEDULED, JobStatus.CREATED}
_LOST_AFTER_MS = 15_000


def perform(outbox_id: int) -> None:
    """Runs one outbox row in a worker. A failure is written down and tried again later, by the store's clock."""
    site = runtime_module.current()
    CAUSE.set(f"outbox-{outbox_id}")
    with site.db.read() as tx:
        row = tx.execute(sa.select(outbox).where(outbox.c.id == outbox_id)).first()
    if row is None or row.state not in ("pending", "dispatched"):
        return
    try:
        task(row.task)(site, row.argument)
    except Held as reason:
        _LOG.info("work held back", extra={"outbox": outbox_id, "reason": str(reason)})
        with site.db.write() as tx:
            hold(tx, outbox_id)
        return
    except Exception as error:
        _LOG.exception("task failed", extra={"task": row.task, "outbox": outbox_id})
        _settle_failure(site.db, row, error)
        return
    with site.db.write() as tx:
        tx.execute(outbox.update().where(outbox.c.id == outbox_id).values(state="done"))


def _settle_failure(db: Database, row: Any, error: Exception) -> None:
    values: dict[str, Any] = {"error": redact(f"{type(error).__name__}: {error}")[:500]}
    if row.failures < len(_RETRY_S):
        not_before = now_ms() + _RETRY_S[row.failures] * 1000
        values |= {"state": "pending", "round": row.round + 1, "not_before": not_before, "failures": row.failures + 1}
    else:
        values |= {"state": "failed"}
    with db.write() as tx:
        tx.execute(outbox.update().where(outbox.c.id == row.id).values(values))


def dispatch(connection: redis.Redis, db: Database, *, limit: int = 100) -> int:
    """Moves due outbox rows to their queues. How many. Raises redis.RedisError, after which it can simply run again."""
    due = sa.select(outbox.c.id, outbox.c.queue, outbox.c.round, outbox.c.task).where(
        outbox.c.state == "pending", outbox.c.not_before <= now_ms()
    )
    with db.read() as tx:
        rows = tx.execute(due.order_by(outbox.c.task.not_in(_URGENT), outbox.c.id).limit(limit)).all()
    if not rows:
        return 0
    for row in rows:
        try:
            Queue(row.queue, connection=connection).enqueue(
                perform,
                row.id,
                job_id=_job_id(row),
                unique=True,
                at_front=row.task in _URGENT,
                job_timeout=_JOB_TIMEOUT_S,
                result_ttl=_KEEP_S,
                failure_ttl=_KEEP_S,
            )
        except DuplicateJobError:
            continue  # dispatched before a crash that came before the mark below
    with db.write() as tx:
        tx.execute(
            outbox.update()
            # A fast worker may be done already: its "done" must stay.
            .where(outbox.c.id.in_([row.id for row in rows]), outbox.c.state == "pending")
            .values(state="dispatched", dispatched_at=now_ms())
        )
    return len(rows)


def note_alive(connection: redis.Redis) -> None:
    """Says that this host works: what a host had begun that says it no more is done by another."""
    connection.set(_ALIVE + socket.gethostname(), 1, ex=_ALIVE_S)


def redispatch_lost(connection: redis.Redis, db: Database, *, older_than_ms: int = _LOST_AFTER_MS) -> int:
    """Sends out again what was dispatched but is no longer in any queue: its server, its worker or its host died. How
    many."""
    with db.read() as tx:
        rows = tx.execute(
            sa.select(outbox.c.id, outbox.c.queue, outbox.c.round).where(
                outbox.c.state == "dispatched", outbox.c.dispatched_at < now_ms() - older_than_ms
            )
        ).all()
    if not rows:
        return 0
    waiting = {job for name in {row.queue for row in rows} for job in Queue(name, connection=connection).get_job_ids()}
    jobs = Job.fetch_many([_job_id(row) for row in rows], connection=connection)
    lost = {row.id: job for row, job in zip(rows, jobs, strict=True) if job is None or _is_lost(job, waiting)}
    for job in filter(None, lost.values()):
        job.delete()
    return _send_again(db, list(lost))


def _is_lost(job: Job, waiting: Container[str]) -> bool:
    status = job.get_status()
    if status == JobStatus.QUEUED:
        return job.id not in waiting  # taken out by a worker that died before it began
    if status == JobStatus.STARTED:
        # A job that runs has a host that says so; `_release_orphans` knows sooner where only the worker died.
        return not job.connection.exists(_ALIVE + (job.worker_name or "").rsplit(".", 3)[0])
    return status not in _WAITING


def refill(connection: redis.Redis, db: Database) -> int:
    """Sends out again everything not done if the queue server has forgotten what it held: it was started anew, or
    emptied. How many. Raises redis.RedisError."""
    # Of several relays one finds the mark missing. Work that is in the queue after all runs twice, with one effect.
    if not connection.set(_HELD, 1, nx=True):
        return 0
    with db.read() as tx:
        ids = tx.execute(sa.select(outbox.c.id).where(outbox.c.state == "dispatched")).scalars().all()
    return _send_again(db, ids)


def _send_again(db: Database, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    with db.write() as tx:
        changed = tx.execute(
            outbox.update()
            .where(outbox.c.id.in_(ids), outbox.c.state == "dispatched")
            .values(state="pending", round=outbox.c.round + 1)
        )
    return changed.rowcount


def wait_until_ready(url: str, *, timeout_s: float = 20) -> None:
    """Returns once the queue server answers. Raises redis.RedisError when it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connect(url).ping()
            return
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def work(queue: str, slot: int, url: str, *, warm: Iterable[Any] = ()) -> None:
    """Works on one queue until told to stop. `slot` tells workers of one host and queue apart."""
    for step in warm:
        step()
    connection = connect(url)
    place = f"{socket.gethostname()}.{queue}.{slot}."
    _release_orphans(connection, queue, place)
    # SimpleWorker: a fork would load the model for every job, and ONNX Runtime's threads do not survive one.
    worker = SimpleWorker([queue], name=f"{place}{os.getpid()}", connection=connection)
    worker.log.setLevel(logging.WARNING)
    worker.work(max_jobs=_MAX_JOBS, logging_level="WARNING")


def census(url: str) -> tuple[dict[str, int], dict[str, int]]:
    """Jobs that wait, and workers that have spoken lately, by queue, on all hosts. Raises redis.RedisError."""
    connection = connect(url)
    names = ("inference", "speech", "delivery")
    lately = datetime.now(UTC) - timedelta(seconds=_SILENT_S)
    workers = dict.fromkeys(names, 0)
    for worker in Worker.all(connection=connection):
        seen = worker.last_heartbeat
        if seen is not None and seen.replace(tzinfo=seen.tzinfo or UTC) > lately:
            for name in worker.queue_names():
                workers[name] = workers.get(name, 0) + 1
    return {name: Queue(name, connection=connection).count for name in names}, workers


def _release_orphans(connection: redis.Redis, queue: str, place: str) -> None:
    """Sends out again what the killed predecessor in this slot had begun; RQ alone would wait for a time-out."""
    registry = StartedJobRegistry(queue, connection=connection)
    db = runtime_module.current().db
    for job_id in registry.get_job_ids(cleanup=False):
        try:
            job = Job.fetch(job_id, connection=connection)
        except NoSuchJobError:
            continue
        if (job.worker_name or "").startswith(place):
            _send_again(db, [int(job_id.split("-")[1])])
            job.delete()


def _job_id(row: Any) -> str:
    return f"ob-{row.id}-{row.round}"
