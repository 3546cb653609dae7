"""Is the store whole, of this release, and does its work get done?"""

from __future__ import annotations

import os
from collections.abc import Iterator

import redis
import sqlalchemy as sa

from services import queue
from services.launcher import AlreadyRunning, alone
from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.store.audit import Broken, verify
from services.store.clock import DAY_MS, MINUTE_MS, now_ms
from services.store.copying import damage
from services.store.schema import newest, schema_of
from services.store.tables import message, outbox

_LARGE_WAL = 256 * 2**20
_RESTORE = "stop the service and go back to the newest good copy: `python app.py restore` (docs/operating.md)"
_LATE_MS = 2 * MINUTE_MS


def whole(site: Runtime) -> Iterator[Finding]:
    """The store's pages, and that no row refers to nothing."""
    if not site.db.is_sqlite:
        with site.db.read() as tx:
            tx.execute(sa.select(1))
        yield fine("the database answers")
        return
    path = site.settings.data_dir / "jicho.db"
    if fault := damage(path):
        yield broken(f"the store is damaged: {fault}", _RESTORE)
        return
    with site.db.read() as tx:
        orphans = tx.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        yield broken(f"{len(orphans)} rows of the store refer to rows that are not there", _RESTORE)
    else:
        yield fine(f"the store is whole ({path.stat().st_size >> 20} MB)")
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > _LARGE_WAL:
        size = os.stat(wal).st_size >> 20
        yield warning(
            f"{size} MB wait to be taken into the store: something reads from it for hours", "restart the service"
        )


def schema(site: Runtime) -> Iterator[Finding]:
    """The store's schema against this release's."""
    with site.db.read() as tx:
        found = schema_of(tx)
    if found == newest():
        yield fine(f"the store has this release's schema, {found}")
    elif found is None:
        yield note("the store has no tables yet", "the first start makes them")
    else:
        yield broken(
            f"the store has schema {found}, this release needs {newest()}", "restart the service: it upgrades the store"
        )


def audited(site: Runtime) -> Iterator[Finding]:
    """The chain of the audit log."""
    with site.db.read() as tx:
        found = verify(tx)
    if isinstance(found, Broken):
        yield broken(
            f"the audit log was changed at entry {found.number}: {found.why}",
            "somebody went round Jicho: keep this machine as it is, and tell who is responsible for the data",
        )
    else:
        yield fine(f"the audit log's {found.number} entries are as they were written")


def running(site: Runtime) -> Iterator[Finding]:
    """The service itself, and the queue server."""
    try:
        with alone(site.settings.own_dir):
            if not site.settings.redis_url:
                yield note("the service is not running", "`sudo systemctl start jicho`, or `make run`")
                return
    except AlreadyRunning:
        pass
    try:
        queue.connect(site.settings.queue_url).ping()
        yield fine("the queue server answers")
    except redis.RedisError:
        yield broken(
            "the queue server does not answer: nothing is read or sent", "restart the service; is REDIS_URL right?"
        )


def backlog(site: Runtime) -> Iterator[Finding]:
    """Work that waits longer than it should, or was given up."""
    now = now_ms()
    late = sa.and_(
        outbox.c.state == "pending", outbox.c.not_before < now - _LATE_MS, outbox.c.created_at < now - _LATE_MS
    )
    with site.db.read() as tx:
        waiting = _count(tx, outbox, late)
        failed = _count(tx, outbox, sa.and_(outbox.c.state == "failed", outbox.c.created_at > now - DAY_MS))
        held = _count(tx, outbox, outbox.c.state == "held")
        unknown = _count(tx, message, sa.and_(message.c.state == "unknown", message.c.created_at > now - 7 * DAY_MS))
        lost = _count(tx, message, sa.and_(message.c.state == "failed", message.c.created_at > now - DAY_MS))
    if waiting:
        yield broken(
            f"{waiting} pieces of work have waited for more than two minutes", "is the service running? Restart it"
        )
    if failed:
        yield warning(
            f"{failed} pieces of work were given up in the last day", "the log says why (`journalctl -u jicho`)"
        )
    if held:
        yield note(f"{held} photographs wait for power")
    if lost:
        yield warning(
            f"{lost} messages did not arrive in the last day", "look at the carriers below; the console names them"
        )
    if unknown:
        yield note(
            f"of {unknown} messages of the last week nobody knows whether they arrived", "they are never sent twice"
        )
    if not (waiting or failed or lost):
        yield fine("nothing waits that should not")


def _count(tx: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
    found: int = tx.execute(sa.select(sa.func.count()).select_from(table).where(where)).scalar_one()
    return found
