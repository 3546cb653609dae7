"""A person sees what is kept of her, and is forgotten when she asks; what is no longer needed goes by itself."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import conversations, messages, texts
from phones import PATIENT, WORKER, Chat, Ussd, open_case, send_photograph

from services.channels.base import Inbound, Kind
from services.messaging.delivery import send_message
from services.messaging.inbox import receive
from services.messaging.outbox import post
from services.rights.export import export
from services.rights.forgetting import StillAWorker, forget
from services.rights.retention import erase_daily, erase_old
from services.runtime import Runtime
from services.screening.cases import result_for
from services.screening.people import has_opted_out, opt_out_of, remove_worker, set_language
from services.screening.results import announce
from services.screening.withdrawal import erase_screening
from services.store import audit, clock
from services.store.audit import Head
from services.store.clock import DAY_MS
from services.store.phones import number_of
from services.store.sealing import phone_token
from services.store.tables import (
    METADATA,
    consent,
    conversation,
    inbound,
    message,
    phone_number,
    photo,
    referral,
    screening,
    sync_event,
)

ACTOR = audit.Actor("command", "asha")
JPEG = b"\xff\xd8\xff an eye"


@pytest.fixture
def code(site: Runtime) -> str:
    """A case with a photograph, whose patient spoke and wrote to the clinic."""
    found = open_case(site, language="en")
    taken = send_photograph(site, found, "left", "1")
    site.media.erase(taken.sha256)
    sha256 = site.media.receive(JPEG)
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == taken.id).values(sha256=sha256, state="read"))
        set_language(tx, msisdn=PATIENT, language="en")
        opt_out_of(tx, msisdn=PATIENT, kind=Kind.VOICE)
        announce(tx, 1, "refer")
    receive(site, Inbound("at", Kind.SMS, "sms-1", PATIENT, "38477", "where do I go?"))
    Ussd(site, PATIENT).dial()
    return found


def count(site: Runtime, table: sa.Table, *which: Any) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table).where(*which)).scalar_one())


def test_an_export_says_everything_and_shows_the_photographs(site: Runtime, code: str, tmp_path: Path) -> None:
    export(site, PATIENT, tmp_path / "hers.zip", ACTOR)
    assert (tmp_path / "hers.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "hers.zip") as archive:
        person = json.loads(archive.read("person.json"))
        (case,) = person["screenings"]
        (picture,) = case["photographs"]
        assert archive.read(picture["file"]) == JPEG
    assert (person["phone"], person["language"], case["code"]) == (PATIENT, "en", code)
    assert (case["birth_year"], case["outcome"], case["health_worker"]) == (1961, "refer", "Achieng")
    assert [each["version"] for each in case["consents"]] == ["test"]
    assert case["referrals"][0]["state"] == "open"
    assert [each["text"] for each in person["written"]] == ["where do I go?"]
    assert any("is ready" in each["text"] and each["created_at"] for each in person["told"])
    assert [each["kind"] for each in person["stopped"]] == ["voice"]
    assert any("Jicho" in each["said_last"] for each in person["conversations"])
    words = json.dumps(person)
    assert "sealed:" not in words
    assert phone_token(PATIENT) not in words


def test_an_export_of_a_health_worker_says_nothing_of_her_patients(site: Runtime, code: str, tmp_path: Path) -> None:
    Chat(site, Kind.SMS, WORKER).write(f"result {code}")
    export(site, WORKER, tmp_path / "hers.zip", ACTOR)
    with zipfile.ZipFile(tmp_path / "hers.zip") as archive:
        words = archive.read("person.json").decode()
    assert "Achieng" in words
    assert code not in words
    assert PATIENT not in words


def test_who_is_forgotten_is_gone_everywhere(site: Runtime, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = forget(site, PATIENT, ACTOR)
    assert (done.screenings, done.messages_received, done.nothing) == (1, 1, False)
    later = clock.now_ms() + clock.HOUR_MS
    monkeypatch.setattr("services.screening.withdrawal.now_ms", lambda: later)
    erase_screening(site, {"screening_id": 1, "final": True})
    token = phone_token(PATIENT)
    assert list(site.personal_files()) == []
    with site.db.read() as tx:
        assert number_of(tx, token) is None
        assert conversations(tx, conversation.c.msisdn == token) == []
        assert tx.execute(sa.select(screening.c.state)).scalar_one() == "withdrawn"
        assert tx.execute(sa.select(sync_event.c.kind)).scalars().all() == ["withdrawn"], "the hub forgets her too"
        assert has_opted_out(tx, msisdn=PATIENT, kind=Kind.VOICE), "nobody writes to her again"
        kept = {
            table.name
            for table in METADATA.sorted_tables
            for row in tx.execute(sa.select(table))
            if any(value == token for value in row)
        }
        assert kept == {"opt_out", "audit"}
        assert isinstance(audit.verify(tx), Head)
    assert forget(site, PATIENT, ACTOR).nothing
    with site.db.write() as tx:
        assert result_for(tx, code=code, msisdn=PATIENT)["state"] == "withdrawn"


def test_a_health_worker_is_removed_before_she_is_forgotten(site: Runtime, code: str) -> None:
    with pytest.raises(StillAWorker):
        forget(site, WORKER, ACTOR)
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    forget(site, WORKER, ACTOR)
    with site.db.read() as tx:
        assert number_of(tx, phone_token(WORKER)) is None
        assert tx.execute(sa.text("SELECT name FROM worker")).scalar_one() == ""
    assert code


@pytest.mark.parametrize("taken_back", [True, False])
def test_no_message_about_a_screening_goes_out_without_consent(site: Runtime, code: str, taken_back: bool) -> None:
    """Whatever wrote it, and whenever: it is asked at the moment of sending."""
    with site.db.write() as tx:
        tx.execute(consent.update().values(withdrawn_at=1) if taken_back else consent.delete())
        late = post(tx, Kind.SMS, PATIENT, code, key="late", purpose="result", language="en", screening_id=1)
    send_message(site, {"message_id": late})
    with site.db.read() as tx:
        (row,) = messages(tx, message.c.id == late)
    assert (row.state, row.reason, row.attempts) == ("failed", "no consent", 0)


def test_nobody_who_was_forgotten_is_written_to(site: Runtime, code: str) -> None:
    forget(site, PATIENT, ACTOR)
    with site.db.write() as tx:
        late = post(tx, Kind.SMS, phone_token(PATIENT), code, key="late", purpose="reply", language="en")
    send_message(site, {"message_id": late})
    with site.db.read() as tx:
        (row,) = messages(tx, message.c.id == late)
    assert (row.state, row.reason) == ("failed", "the recipient was forgotten")


def pass_days(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    later = clock.now_ms() + int(days * DAY_MS)
    monkeypatch.setattr("services.rights.retention.now_ms", lambda: later)


def test_photographs_and_words_go_first_and_the_result_stays(
    site: Runtime, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_days(monkeypatch, 89)
    assert erase_old(site).photographs == 0
    pass_days(monkeypatch, 91)
    done = erase_old(site)
    assert (done.photographs, done.people) == (1, 0)
    assert done.words > 2
    assert list(site.personal_files()) == []
    with site.db.read() as tx:
        assert set(texts(tx)) == {""}
        assert conversations(tx) == []
        assert tx.execute(sa.select(inbound.c.text)).scalars().all() == [""] * count(site, inbound)
    with site.db.write() as tx:
        assert result_for(tx, code=code, msisdn=PATIENT)["outcome"] == "refer"


def test_a_photograph_that_came_again_stays(site: Runtime, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    again = send_photograph(site, code, "right", "2")
    with site.db.write() as tx:
        sha256 = tx.execute(sa.select(photo.c.sha256).where(photo.c.sha256.is_not(None))).scalars().first()
        young = clock.now_ms() + 90 * DAY_MS
        tx.execute(photo.update().where(photo.c.id == again.id).values(sha256=sha256, received_at=young))
    pass_days(monkeypatch, 91)
    erase_old(site)
    assert site.media.content(str(sha256)) == JPEG


def test_who_it_was_goes_last_and_never_while_she_is_waited_for(
    site: Runtime, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_days(monkeypatch, 456)
    assert erase_old(site).people == 0, "her visit is still asked about"
    with site.db.write() as tx:
        tx.execute(referral.update().values(next_at=None))
    assert erase_old(site).people == 1
    with site.db.read() as tx:
        row = tx.execute(sa.select(screening)).one()
        assert (row.patient_msisdn, row.code_sealed, row.outcome, row.birth_year) == (None, "", "refer", 1961)
        numbers = tx.execute(sa.select(phone_number.c.token)).scalars().all()
    assert numbers == [phone_token(WORKER)], "the health worker's stays"
    with site.db.write() as tx:
        assert result_for(tx, code=code, msisdn=PATIENT)["state"] == "unknown"


def test_it_runs_once_a_day_and_is_logged(site: Runtime, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code
    pass_days(monkeypatch, 91)
    assert erase_daily(site) is not None
    assert erase_daily(site) is None
    with site.db.read() as tx:
        (entry,) = audit.newest(tx, 5)
    assert (entry["actor"], entry["action"]) == ("jicho", "retention")
    assert json.loads(entry["detail"])["photographs"] == 1
    pass_days(monkeypatch, 92.1)
    assert erase_daily(site) is not None
