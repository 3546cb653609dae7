"""The store, its keys, its copies and its work: each broken in earnest, and what the doctor says of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from doctor_asked import Ask
from recovery import KEY

from services.backup import making, recovery_key
from services.backup.place import site_place
from services.launcher import alone
from services.messaging.outbox import enqueue
from services.runtime import Runtime
from services.store import audit
from services.store.clock import DAY_MS, now_ms
from services.store.keyring import Keyring, site_keys
from services.store.lock import lock
from services.store.tables import outbox, sync_mark


def test_a_store_as_it_should_be(ask: Ask) -> None:
    assert [ask(name)[0][0] for name in ("store", "audit log", "keys", "work")] == ["fine"] * 4
    assert ask("schema") == [("note", "the store has no tables yet")], "tests make them without migrations"


def test_a_damaged_store(ask: Ask, site: Runtime) -> None:
    with site.db.write() as tx:
        tx.execute(sync_mark.insert(), [{"name": f"{number:0200}", "value": 0} for number in range(2000)])
    file = site.settings.data_dir / "jicho.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + b"\xff" * 8192 + whole[len(whole) // 2 + 8192 :])
    ((level, says),) = ask("store")
    file.write_bytes(whole)
    assert level == "broken"
    assert says.startswith("the store is damaged: ")


def test_rows_that_refer_to_nothing(ask: Ask, site: Runtime) -> None:
    with closing(sqlite3.connect(site.settings.data_dir / "jicho.db")) as raw:
        raw.execute("INSERT INTO app_code (worker_id, sha256, asked_at) VALUES (77, '', 0)")
        raw.commit()
    assert ask("store")[0] == ("broken", "1 rows of the store refer to rows that are not there")


def test_a_store_of_another_schema(ask: Ask, site: Runtime) -> None:
    with site.db.write() as tx:
        tx.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
    ((level, says),) = ask("schema")
    assert level == "broken"
    assert says.startswith("the store has schema 0001, this release needs ")


def test_an_audit_log_that_somebody_changed(ask: Ask, site: Runtime) -> None:
    with site.db.write() as tx:
        for number in range(3):
            audit.record(tx, audit.SYSTEM, "start", str(number))
    assert ask("audit log") == [("fine", "the audit log's 3 entries are as they were written")]
    with closing(sqlite3.connect(site.settings.data_dir / "jicho.db")) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE audit SET subject = 'other' WHERE number = 2")
        raw.commit()
    ((level, says),) = ask("audit log")
    assert level == "broken"
    assert says.startswith("the audit log was changed at entry 2")


def test_keys_that_are_lost_or_anothers(ask: Ask, site: Runtime) -> None:
    with site.db.write() as tx:
        lock(tx, site_keys())
    path = site_keys().path
    kept = path.read_bytes()
    path.unlink()
    site_keys()._look_at = 0
    assert ask("keys")[0][0] == "broken"
    other = Keyring(path)
    other.create()
    site_keys()._look_at = 0
    ((level, says),) = ask("keys")
    path.write_bytes(kept)
    site_keys()._look_at = 0
    assert (level, "is another store's" in says) == ("broken", True)


def test_copies(ask: Ask, site: Runtime, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert ask("copies") == [("warning", "there is no recovery key: no copy can be made")]
    place = site_place(site.settings)
    recovery_key.keep_public_half(place.directory, recovery_key.public_half(KEY))
    assert ask("copies")[0] == ("warning", "no copy was ever made of this site")
    making.make(place, tmp_path_factory.mktemp("stick"), keep=1)
    assert ask("copies")[0][0] == "fine"
    making._note(place, {"at_ms": now_ms() - 4 * DAY_MS})
    assert ask("copies")[0] == ("warning", "the newest copy is 4 days old")
    making.failed(place, "the stick went away")
    assert ("warning", "the last copy could not be made: the stick went away") in ask("copies")


def test_the_service(ask: Ask, site: Runtime) -> None:
    assert ask("service") == [("note", "the service is not running")]
    with alone(site.settings.data_dir):
        assert ask("service") == [("broken", "the queue server does not answer: nothing is read or sent")]


@pytest.mark.parametrize(
    ("state", "age_ms", "level", "words"),
    [
        ("pending", 1_000, "fine", "nothing waits that should not"),
        ("pending", 300_000, "broken", "1 pieces of work have waited for more than two minutes"),
        ("failed", 300_000, "warning", "1 pieces of work were given up in the last day"),
        ("failed", 2 * DAY_MS, "fine", "nothing waits"),
        ("held", 300_000, "note", "1 photographs wait for power"),
    ],
)
def test_work(ask: Ask, site: Runtime, state: str, age_ms: int, level: str, words: str) -> None:
    with site.db.write() as tx:
        enqueue(tx, "speech", "render_clip", {}, key="one")
        then = now_ms() - age_ms
        tx.execute(outbox.update().values(state=state, created_at=then, not_before=then))
    found, says = ask("work")[0]
    assert (found, words in says) == (level, True)
