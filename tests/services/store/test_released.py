"""A store of the first release comes to this one's schema and back, with a copy beside it; a newer one is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services import runtime, settings
from services.runtime import Runtime
from services.screening.cases import result_for
from services.screening.people import workers
from services.store import schema
from services.store.migrate import downgrade, migrate
from services.store.tables import METADATA

HUB_SCRIPTS = Path(schema.__file__).parents[1] / "hub" / "migrations"
RELEASED = Path(__file__).with_name("released") / "0.1.0.sql"
WORKER, PATIENT = "+254711000001", "+254722000002"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A site that ran 0.1.0, and this release's code on it."""
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JICHO_KEYRING", str(tmp_path / "keys" / "ring.json"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    database = sqlite3.connect(tmp_path / "data" / "jicho.db")
    database.executescript(RELEASED.read_text())
    database.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()
    found = runtime.current()
    yield found
    found.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


@pytest.mark.parametrize("scripts", [schema.SITE_SCRIPTS, HUB_SCRIPTS], ids=["site", "hub"])
def test_migrations_are_named_by_their_schema(scripts: Path) -> None:
    directory = ScriptDirectory(str(scripts))
    assert directory.get_current_head() == schema.newest(scripts)
    for each in directory.walk_revisions():
        assert Path(each.path).name.startswith(f"{each.revision}_")


def rows(path: Path, table: str) -> list[Any]:
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    found = [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY id")]
    database.close()
    return found


def test_the_first_release_comes_to_this_schema_and_means_the_same(old: Runtime) -> None:
    migrate(old.db)
    with old.db.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), METADATA) == []
        assert schema.schema_of(tx) == schema.newest()
        assert tx.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
        assert [(each["msisdn"], each["name"]) for each in workers(tx)] == [(WORKER, "Achieng")]
    with old.db.write() as tx:
        assert result_for(tx, code="929803", msisdn=PATIENT)["outcome"] == "refer"
        assert result_for(tx, code="923189", msisdn=WORKER)["outcome"] == "rescreen"


def test_a_copy_is_kept_as_it_was_before_and_no_second_one(old: Runtime) -> None:
    before = {name: rows(old.settings.data_dir / "jicho.db", name) for name in ("worker", "screening", "message")}
    migrate(old.db)
    migrate(old.db)
    (copy,) = schema.copies(old.db)
    assert schema.schema_in_name(copy) == "0001"
    assert {name: rows(copy, name) for name in before} == before
    assert copy.stat().st_mode & 0o077 == 0


def test_back_to_the_first_release_and_up_again(old: Runtime) -> None:
    file = old.settings.data_dir / "jicho.db"
    tables = ("worker", "screening", "consent", "reading", "message", "photo", "conversation", "inbound")
    before = {name: rows(file, name) for name in tables}
    migrate(old.db)
    downgrade(old.db, "0001")
    for name in tables:
        # A carrier's id, which may have the number in it, was hashed, and nobody can tell it from that.
        hashed = {"provider_id", "session_id"}
        found = [{key: row[key] for key in row.keys() - hashed} for row in rows(file, name)]
        assert found == [{key: row[key] for key in row.keys() - hashed} for row in before[name]]
    migrate(old.db)
    with old.db.read() as tx:
        assert schema.schema_of(tx) == schema.newest()
    assert [schema.schema_in_name(copy) for copy in schema.copies(old.db)] == [schema.newest(), "0001"]


def test_an_upgrade_after_which_nothing_ran_is_undone(old: Runtime) -> None:
    file = old.settings.data_dir / "jicho.db"
    before = rows(file, "message")
    migrate(old.db)
    schema.put_copy_back(old.db)
    assert rows(file, "message") == before
    with old.db.read() as tx:
        assert schema.schema_of(tx) == "0001"
    assert [schema.schema_in_name(copy) for copy in schema.copies(old.db)] == [schema.newest()]


def test_a_newer_store_is_refused_and_not_touched(old: Runtime) -> None:
    with old.db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for act in (lambda: migrate(old.db), lambda: downgrade(old.db, "0001")):
        with pytest.raises(schema.SchemaError, match="has schema 9999, this release of Jicho knows none newer than"):
            act()
    assert schema.copies(old.db) == []


def test_without_room_for_a_copy_nothing_changes(old: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.store.copying._ROOM", 2**60)
    with pytest.raises(schema.SchemaError, match="has no room for a copy of the store"):
        migrate(old.db)
    with old.db.read() as tx:
        assert schema.schema_of(tx) == "0001"


def test_old_copies_go(old: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SimpleNamespace(time_ns=lambda: 0)
    monkeypatch.setattr("services.store.schema.time", told)
    for at_ms in (100, 200, 300):
        told.time_ns = lambda at_ms=at_ms: at_ms * 10**6
        schema.keep_copy(old.db, "0001")
    assert [path.name for path in schema.copies(old.db)] == ["schema-0001-200.db", "schema-0001-300.db"]
    told.time_ns = lambda: (250 + schema._KEEP_MS) * 10**6
    schema.forget_old(old.db)
    assert [path.name for path in schema.copies(old.db)] == ["schema-0001-300.db"]


def test_copies_that_lie_in_the_clear_go_after_a_day(old: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SimpleNamespace(time_ns=lambda: 10**6)
    monkeypatch.setattr("services.store.schema.time", told)
    schema.keep_copy(old.db, "0018")
    told.time_ns = lambda: 2 * 10**6
    schema.keep_copy(old.db, "0019")
    told.time_ns = lambda: (schema._KEEP_OPEN_MS + 2) * 10**6
    schema.forget_open(old.db)
    assert [path.name for path in schema.copies(old.db)] == ["schema-0019-2.db"]
