"""Makes a store from a copy safe to go on with, before anything runs on it.

The machine that was lost went on after the copy was made: what was waiting then has, or has not, been sent since. It is
brought to its end here, without sending anything, and every message that comes of it is `unknown`: a person at the
clinic decides whether to repeat it, never the machine. Numbers that the lost machine may have given away since are not
given again, since the hub knows screenings by them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import DeliveryState
from services.messaging.reminders import send_due
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.tables import message, outbox, photo, screening, sync_event
from services.tasks import task

_LOG = logging.getLogger(__name__)
RESTORED = "restored from a copy: it may have gone out since"
_SKIP = 1_000_000
_UNFINISHED = ("pending", "dispatched", "held")
_CONCLUDE = {
    "fetch_photo": "fetch_photo",
    "read_photo": "read_urgent_photo",  # an empty battery must not leave it for later
    "read_urgent_photo": "read_urgent_photo",
    "assess_symptoms": "assess_symptoms",
}
_SEND = ("send_message", "prepare_call", "prepare_note", "reach_otherwise")


@dataclass(frozen=True)
class Settled:
    """What was under way when the copy was made: work that was brought to its end or given up, and messages of which
    nobody knows whether they went out."""

    concluded: int
    given_up: int
    unknown: int


def settle(site: Runtime) -> Settled:
    """Brings a restored store to a state from which nothing goes out twice. May run again after it was interrupted."""
    while send_due(site, at_any_hour=True):
        pass
    concluded, given_up = _conclude(site)
    with site.db.write() as tx:
        ended = outbox.update().where(outbox.c.task.in_(_SEND), outbox.c.state.in_(_UNFINISHED))
        tx.execute(ended.values(state="done", error=RESTORED))
        waiting = message.c.state.in_([DeliveryState.PENDING, DeliveryState.SENDING])
        unknown = tx.execute(message.update().where(waiting).values(state=DeliveryState.UNKNOWN, reason=RESTORED))
        for table in (screening, photo):
            _skip_numbers(tx, table)
        _skip_events(tx)
    return Settled(concluded, given_up, unknown.rowcount)


def _conclude(site: Runtime) -> tuple[int, int]:
    concluded = given_up = 0
    query = sa.select(outbox).where(outbox.c.task.in_(list(_CONCLUDE)), outbox.c.state.in_(_UNFINISHED))
    while True:
        with site.db.read() as tx:
            rows = tx.execute(query.order_by(outbox.c.id)).all()
        if not rows:
            return concluded, given_up
        for row in rows:
            values = {"state": "done", "error": ""}
            try:
                task(_CONCLUDE[row.task])(site, row.argument)
                concluded += 1
            except Exception as error:  # a photograph that was not here yet: its worker is shown that none came
                _LOG.warning("not concluded", extra={"task": row.task, "outbox": row.id, "reason": str(error)})
                values = {"state": "failed", "error": RESTORED}
                given_up += 1
            with site.db.write() as tx:
                tx.execute(outbox.update().where(outbox.c.id == row.id).values(values))


def _skip_numbers(tx: Connection, table: sa.Table) -> None:
    newest = tx.execute(sa.select(sa.func.max(table.c.id))).scalar()
    if newest is None:
        return
    if tx.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        tx.execute(sa.select(sa.func.setval(sequence, newest + _SKIP)))
        return
    # SQLite counts on from the highest number that is there: an empty row, as of a screening whose consent was taken
    # back, stands for those that are not.
    row = tx.execute(sa.select(table).where(table.c.id == newest)).mappings().one()
    names, places = ", ".join(table.columns.keys()), ", ".join("?" for _ in table.columns)
    tx.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) VALUES ({places})",
        tuple(_nothing(column, newest + _SKIP, row) for column in table.columns),
    )


def _nothing(column: sa.Column[Any], number: int, row: Any) -> Any:
    """What a column holds in a row that stands for nobody."""
    if column.primary_key:
        return number
    if column.name == "state":
        return "withdrawn" if column.table is screening else "refused"
    if column.name == "position":
        return -number  # unique beside the message that it borrows
    if column.nullable:
        return None
    if column.foreign_keys:
        return row[column.name]
    if column.name.endswith("_at"):
        return now_ms()
    return 0 if isinstance(column.type, sa.Integer) else f"skipped:{number}" if column.unique else ""


def _skip_events(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        newest = tx.execute(sa.select(sa.func.max(sync_event.c.seq))).scalar() or 0
        sequence = sa.func.pg_get_serial_sequence(sync_event.name, "seq")
        tx.execute(sa.select(sa.func.setval(sequence, newest + _SKIP)))
        return
    known = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'sync_event'").scalar()
    if known is None:
        tx.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('sync_event', ?)", (_SKIP,))
    else:
        tx.exec_driver_sql("UPDATE sqlite_sequence SET seq = ? WHERE name = 'sync_event'", (known + _SKIP,))
