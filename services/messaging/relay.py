"""The relay moves what the outbox holds into the queues; the scheduler's duties mend what got lost on the way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import redis
from sqlalchemy.engine import Connection

from services import queue
from services.backup.schedule import Schedule
from services.ledger.entries import prune
from services.messaging.clock_jump import ClockWatch, behind_ms, follow
from services.messaging.delivery import settle_unknown
from services.messaging.holding import hold_and_release, must_wait
from services.runtime import Runtime
from services.store.turn import Turn

_LOG = logging.getLogger(__name__)
_IDLE_S = 0.05  # a twentieth of a second costs an idle clinic under 1 % of one core and nobody notices the wait
_PATIENCE_S = 1.0
_RELEASE_EVERY_S = 1.0
_DUTIES_EVERY_S = 15.0


def relay(site: Runtime, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Runs until told to stop. A queue server that is away costs nothing but time."""
    connection = queue.connect(site.settings.queue_url)
    due = 0.0
    while not stopping():
        try:
            now_and_then = time.monotonic() >= due
            if now_and_then:
                due = time.monotonic() + _RELEASE_EVERY_S
                queue.note_alive(connection)
                if again := queue.refill(connection, site.db):
                    _LOG.warning("the queue server had forgotten its work", extra={"again": again})
            # Before each dispatch while photographs wait for power; else it is enough to look now and then.
            if now_and_then or must_wait(site.watch.strain()):
                hold_and_release(site)
            moved = queue.dispatch(connection, site.db)
        except redis.RedisError as error:
            _LOG.warning("queue server away", extra={"reason": str(error)})
            time.sleep(_PATIENCE_S)
            continue
        if not moved:
            time.sleep(_IDLE_S)


def scheduler(site: Runtime, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Runs the periodic duties until told to stop; of several hosts of a site one does them."""
    connection = queue.connect(site.settings.queue_url)
    watch, copies, turn = ClockWatch(), Schedule(site.settings), Turn(site.db, "scheduler")
    with site.db.write() as tx:
        _follow_clock(tx, behind_ms(tx))
    due = time.monotonic()
    while not stopping():
        if jumped := watch.jumped_ms():
            with site.db.write() as tx:
                _follow_clock(tx, jumped)
        if time.monotonic() >= due:
            due = time.monotonic() + _DUTIES_EVERY_S
            if turn.is_ours():
                copies.look()
                _do_duties(site, connection)
        time.sleep(0.2)
    copies.stop()
    turn.give_up()


def _do_duties(site: Runtime, connection: redis.Redis) -> None:
    try:
        duties(site, connection)
    except redis.RedisError as error:
        _LOG.warning("queue server away", extra={"reason": str(error)})


def _follow_clock(tx: Connection, jumped_ms: int) -> None:
    # Several machines on one PostgreSQL have clocks that the network sets: one that is wrong must not move the others'.
    if jumped_ms and tx.dialect.name == "sqlite":
        follow(tx, jumped_ms)
        _LOG.warning("the clock jumped", extra={"seconds": round(jumped_ms / 1000)})


def duties(site: Runtime, connection: redis.Redis) -> dict[str, int]:
    """What has to be looked at now and then, and how much of it was found."""
    # The relay does without the conversations and without calls.
    from services.calls.clips import forget
    from services.messaging.reminders import send_due
    from services.rights.retention import erase_daily

    with site.db.write() as tx:
        unknown = settle_unknown(tx)
        forget(tx, site.settings, site.clips_dir)
        prune(tx)
    try:
        erase_daily(site)
    except OSError as error:  # a disk that refuses must not stop the other duties
        _LOG.warning("nothing erased", extra={"reason": str(error)})
    due = send_due(site)
    back = site.channels.sms.probe_due()
    done = {"unknown_messages": unknown, "due": due, "carriers_back": back}
    done["redispatched"] = queue.redispatch_lost(connection, site.db)
    if any(done.values()):
        _LOG.info("duties", extra=done)
    return done
