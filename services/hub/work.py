"""What the hub does besides answering: once an hour it counts, draws and looks for what is wrong.

With a queue server (`REDIS_URL`) any number of workers on any number of hosts share this, and each hour's work is done
by one of them. A trial hub has none, and does it in a thread of its own process. Either way it may be done twice with
one effect, and an hour that was missed is made up for by the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import redis
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError

from services.hub import photographs, runtime
from services.hub.alerts import refresh
from services.hub.drawing import draw
from services.hub.weeks import recount
from services.queue_server import connect
from services.settings import Settings
from services.store.clock import HOUR_MS, now_ms

_LOG = logging.getLogger(__name__)
QUEUE = "hub"
_LOOK_EVERY_S = 60.0
_JOB_TIMEOUT_S = 1800
_KEEP_S = 2 * 3600  # longer than an hour: the job's id says that this hour is done


def hourly() -> dict[str, int]:
    """An hour's work; how much of each there was."""
    hub = runtime.current()
    with hub.db.write() as tx:
        done = {"weeks": recount(tx)}
    with hub.db.write() as tx:
        done["drawn"] = draw(tx, hub.settings.hub_review_negatives)
    with hub.db.write() as tx:
        done["alerts"] = len(refresh(tx, hub.settings))
    done["erased"] = photographs.erase_due(hub)
    _LOG.info("hourly work", extra=done)
    return done


def ask(connection: redis.Redis) -> bool:
    """Has this hour's work done by whichever worker is free. False if it was asked before. Raises redis.RedisError."""
    try:
        Queue(QUEUE, connection=connection).enqueue(
            hourly,
            job_id=f"hourly-{now_ms() // HOUR_MS}",
            unique=True,
            job_timeout=_JOB_TIMEOUT_S,
            result_ttl=_KEEP_S,
            failure_ttl=_KEEP_S,
        )
    except DuplicateJobError:
        return False
    return True


def work(settings: Settings) -> None:
    """Works until told to stop, and asks for each hour's work. Raises redis.RedisError when the server is away."""
    asking = connect(settings.redis_url)
    _every_look(lambda: ask(asking))
    worker = SimpleWorker([QUEUE], connection=connect(settings.redis_url))
    worker.log.setLevel(logging.WARNING)
    worker.work(logging_level="WARNING")


def work_here() -> threading.Event:
    """For a hub without a queue server: does each hour's work in a thread of this process, until the event is set."""
    done = 0

    def look() -> None:
        nonlocal done
        if now_ms() // HOUR_MS != done:
            hourly()
            done = now_ms() // HOUR_MS

    return _every_look(look)


def _every_look(look: Callable[[], Any]) -> threading.Event:
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            try:
                look()
            except Exception:  # the next look may succeed
                _LOG.exception("hourly work failed")
            ended.wait(_LOOK_EVERY_S)

    threading.Thread(target=watch, name="hourly", daemon=True).start()
    return ended
