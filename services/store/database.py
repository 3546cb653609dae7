"""Transactions on SQLite or PostgreSQL. The store is the truth: what is committed here survives."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url

from services.store.tables import METADATA

_BUSY_MS = 20_000
# A server that lost its power or its cable says no goodbye: without these, who waits for its answer waits for minutes.
_NOTICE = {
    "connect_timeout": 5,  # seconds, as the others
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}


class _WriterLock:
    """Lets one writer at a time into a SQLite file, across threads and processes.

    SQLite's own busy handler sleeps in growing steps, which turns contention into a long tail; the kernel wakes a
    waiter of `flock` at once, and releases the lock of a process that was killed.
    """

    def __init__(self, path: Path) -> None:
        self._threads = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        os.close(self._file)


class Database:
    """A pool of connections to one store.

    `url` is a SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._lock: _WriterLock | None = None
        # An error's text goes to the log: without what was looked for or written.
        options: dict[str, Any] = {"pool_size": 8, "max_overflow": 8, "hide_parameters": True}
        if self.is_sqlite:
            # The interpreter's own SQLite may predate 3.51.3, whose WAL could lose a commit between several processes.
            from sqlcipher3 import dbapi2

            path = Path(parsed.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _WriterLock(path.with_name(path.name + ".writer"))
            self._engine = sa.create_engine(parsed, module=dbapi2, **options)
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        else:
            self._engine = sa.create_engine(parsed, pool_pre_ping=True, connect_args=_NOTICE, **options)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed on leaving, durable when this returns; rolled back if the body raises."""
        if self._lock is None:
            with self._engine.begin() as tx:
                yield tx
            return
        with self._lock, self._engine.connect().execution_options(jicho_writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; anything written in it is thrown away."""
        with self._engine.connect() as connection:
            yield connection

    def scrub(self) -> None:
        """Writes the database anew without what was deleted or changed in it. Nothing else may be written meanwhile.
        Raises sqlalchemy.exc.DBAPIError (a full disk)."""
        if self._lock is None:
            with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                # Two at once, of hosts that start together, wait for each other's catalogue for ever.
                alone = sa.func.hashtextextended("scrub", 0)
                connection.execute(sa.select(sa.func.pg_advisory_lock(alone)))
                try:
                    connection.exec_driver_sql("VACUUM FULL")
                finally:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(alone)))
            return
        raw = self._engine.raw_connection()
        try:
            with self._lock:
                raw.cursor().execute("VACUUM")
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()

    def create_missing(self, tables: sa.MetaData = METADATA) -> None:
        """Creates the tables without migrations, and the keyring: for tests and benchmarks."""
        from services.store.lock import unlock
        from services.store.sealing import keys_of

        with self.write() as tx:
            unlock(tx, keys_of(tables))
            tables.create_all(tx)

    @property
    def engine(self) -> sa.Engine:
        return self._engine

    def close(self) -> None:
        self._engine.dispose()
        if self._lock is not None:
            self._lock.close()


def insert_once(tx: Connection, table: sa.Table, values: dict[str, Any], *, key: tuple[str, ...]) -> int | None:
    """Inserts a row unless one with the same `key` columns is there. Its `id`, or None if it was there already."""
    if tx.dialect.name == "sqlite":
        statement: Any = sqlite.insert(table)
    else:
        statement = postgresql.insert(table)
    statement = statement.values(values).on_conflict_do_nothing(index_elements=list(key)).returning(table.c.id)
    row = tx.execute(statement).first()
    return int(row[0]) if row else None


def one_at_a_time(tx: Connection, key: str) -> None:
    """Lets one transaction at a time go on with this key, until it ends.

    On SQLite every writer is alone anyway. On PostgreSQL two repetitions of one callback would otherwise both find that
    nothing has happened yet, and both act.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the "begin" listener decides, not the driver
    for pragma in (
        "journal_mode=WAL",
        # FULL, not NORMAL: an answer that was acknowledged must outlive a power cut.
        "synchronous=FULL",
        f"busy_timeout={_BUSY_MS}",
        "foreign_keys=ON",
        "cache_size=-4000",
        "wal_autocheckpoint=2000",
        # What was deleted is overwritten: a person who is forgotten must not be found in the file's free pages.
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not be upgraded under contention: writers say so at once.
    writes = connection.get_execution_options().get("jicho_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
