"""Who of several hosts does what only one at a time may: whoever holds a lock of PostgreSQL, which ends with its
connection. A site on SQLite is one host."""

from __future__ import annotations

import logging
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.database import Database

_LOG = logging.getLogger(__name__)
# A host that lost its power or its cable says no goodbye: without these, PostgreSQL would believe in it for two hours.
_NOTICE = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3")


class Turn:
    """One duty, such as "scheduler", that all hosts have and one does."""

    def __init__(self, db: Database, duty: str) -> None:
        self._db, self._duty = db, duty
        self._lock = sa.func.hashtextextended(f"turn {duty}", 0)
        self._holding: Connection | None = None

    def is_ours(self) -> bool:
        """Whether this host does it now: ask before each round. While the store is away, nobody does. Never raises."""
        if self._db.is_sqlite:
            return True
        try:
            if self._holding is not None:
                self._holding.exec_driver_sql("SELECT 1")
                return True
            return self._take()
        except sa.exc.DBAPIError as error:
            _LOG.warning("store away", extra={"duty": self._duty, "reason": type(error.orig).__name__})
            self.give_up()
            return False

    def give_up(self) -> None:
        """Leaves it to another host."""
        if self._holding is not None:
            holding, self._holding = self._holding, None
            with suppress(sa.exc.DBAPIError):
                holding.invalidate()  # closes it: back in the pool it would keep the lock
                holding.close()

    def _take(self) -> bool:
        connection = self._db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(self._lock))).scalar_one():
                connection.close()
                return False
            for setting in _NOTICE:
                connection.exec_driver_sql(f"SET {setting}")
        except BaseException:
            connection.invalidate()
            raise
        self._holding = connection
        _LOG.info("turn taken", extra={"duty": self._duty})
        return True
