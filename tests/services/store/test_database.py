"""Transactions hold under threads and processes, and the migrations make what the tables say."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.store.database import Database, insert_once
from services.store.migrate import migrate
from services.store.tables import METADATA, caller, opt_out

NUMBER = "+254711000001"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    migrate(database)
    yield database
    database.close()


def bump(db: Database, times: int) -> None:
    for _ in range(times):
        with db.write() as tx:
            wrong = tx.execute(sa.select(caller.c.wrong_codes)).scalar_one()
            tx.execute(caller.update().values(wrong_codes=wrong + 1))


def bump_in_process(url: str, times: int) -> None:
    bump(Database(url), times)


def test_migrations_make_the_tables(db: Database) -> None:
    migrate(db)  # a second run has nothing to do
    with db.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), METADATA) == []


def test_writers_in_threads_and_processes_lose_nothing(db: Database, tmp_path: Path) -> None:
    with db.write() as tx:
        insert_once(tx, caller, {"msisdn": NUMBER, "updated_at": 0}, key=("msisdn",))
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=bump_in_process, args=(f"sqlite:///{tmp_path / 'store.db'}", 50))
    process.start()
    threads = [threading.Thread(target=bump, args=(db, 50)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process.join()
    with db.read() as tx:
        assert tx.execute(sa.select(caller.c.wrong_codes)).scalar_one() == 200


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    def fail_midway() -> None:
        with db.write() as tx:
            insert_once(tx, caller, {"msisdn": NUMBER, "updated_at": 0}, key=("msisdn",))
            raise LookupError

    with pytest.raises(LookupError):
        fail_midway()
    with db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(caller)).scalar_one() == 0


def test_insert_once_says_whether_it_did(db: Database) -> None:
    row = {"msisdn": NUMBER, "kind": "sms", "at": 1}
    with db.write() as tx:
        assert insert_once(tx, opt_out, row, key=("msisdn", "kind")) is not None
        assert insert_once(tx, opt_out, row, key=("msisdn", "kind")) is None
        assert insert_once(tx, opt_out, row | {"kind": "voice"}, key=("msisdn", "kind")) is not None


def test_a_writer_that_cannot_lock_leaves_the_lock_to_the_next(tmp_path: Path) -> None:
    """Else a late writer, such as the ledger's at the end of a process, waits for ever."""
    database = Database(f"sqlite:///{tmp_path / 'closed.db'}")
    database.close()
    for _ in range(2):
        with pytest.raises(OSError, match="Bad file descriptor"), database.write():
            pass


def test_commits_are_flushed(db: Database) -> None:
    with db.read() as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        version = tx.exec_driver_sql("SELECT sqlite_version()").scalar_one()
        assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_a_closed_store_says_so_every_time(tmp_path: Path) -> None:
    closed = Database(f"sqlite:///{tmp_path / 'closed.db'}")
    closed.close()
    for _ in range(2):
        with pytest.raises(OSError, match="Bad file descriptor"), closed.write():
            pass
