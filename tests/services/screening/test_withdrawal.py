"""A consent taken back: at once nothing is read, told or graded; then everything about health is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import conversations
from phones import PATIENT, WORKER, Chat, Ussd, Voice, decide, open_case

from flows.catalogue import text
from services import queue
from services.channels.base import Kind
from services.messaging.delivery import send_message
from services.runtime import Runtime
from services.screening import cases
from services.screening.people import set_language
from services.screening.results import announce
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.store import clock
from services.store.tables import METADATA, consent, conversation, message, outbox, photo, reading, screening

JPEG, HEAT = b"a photograph of an eye", b"its heat map"


def sha_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)).all())


def photograph(site: Runtime, code: str, content: bytes, *, eye: str = "left", read: bool = True) -> str:
    """One that came by WhatsApp and, where it says so, was read."""
    Chat(site, Kind.WHATSAPP).write(f"{code} {eye}", photos=1)
    sha256 = site.media.receive(content)
    heatmap = site.media.receive(HEAT) if read else None
    with site.db.write() as tx:
        newest = tx.execute(sa.select(sa.func.max(photo.c.id))).scalar_one()
        tx.execute(photo.update().where(photo.c.id == newest).values(sha256=sha256))
        if not read:
            cases.read_when_complete(tx, newest)
            return sha256
        tx.execute(photo.update().where(photo.c.id == newest).values(state="read"))
        row = dict.fromkeys((c.name for c in reading.c if not c.nullable and c.name != "id"), "") | {
            "photo_id": newest,
            "screening_id": tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one(),
            "eye": eye,
            "outcome": "refer",
            "gradable": True,
            "quality_score": 1.0,
            "quality_reasons": [],
            "signs": ["retinopathy"],
            "heatmap": heatmap,
            "threshold": 0.2,
            "milliseconds": {},
            "read_at": 0,
        }
        tx.execute(reading.insert().values(row))
    return sha256


def withdraw(site: Runtime, code: str, *, by: str = "patient") -> str:
    with site.db.write() as tx:
        answer: Mapping[str, str] = withdraw_consent(tx, code=code, msisdn=PATIENT, by=by, channel="ussd")
    return answer["state"]


def erase(site: Runtime, *, final: bool) -> None:
    erase_screening(site, {"screening_id": 1, "final": final})


@pytest.fixture
def case(site: Runtime) -> tuple[Runtime, str]:
    """A patient who was screened and referred, and has not been told yet."""
    code = open_case(site)
    photograph(site, code, JPEG)
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language="sw")
        announce(tx, 1, "refer")
    return site, code


def test_from_that_moment_nobody_reads_the_result(case: tuple[Runtime, str]) -> None:
    site, code = case
    assert withdraw(site, code) == "done"
    with site.db.write() as tx:
        assert cases.result_for(tx, code=code, msisdn=PATIENT) == {"state": "withdrawn", "outcome": None}
        assert cases.request_call(tx, code=code, msisdn=PATIENT) == {"state": "withdrawn"}
        assert cases.finish_with_one_eye(tx, code=code, worker=WORKER) == {"state": "withdrawn"}
    call = Voice(site)
    call.event()
    assert call.event(code).texts == (text("sw", "result-withdrawn"),)
    assert withdraw(site, code) == "withdrawn"


def test_what_waited_to_be_sent_is_not_sent(case: tuple[Runtime, str]) -> None:
    site, code = case
    waiting = [row.id for row in rows(site, message) if row.purpose == "result"]
    assert len(waiting) == 2
    withdraw(site, code)
    for message_id in waiting:
        send_message(site, {"message_id": message_id})
    found = [row for row in rows(site, message) if row.id in waiting]
    assert [(row.state, row.reason, row.attempts) for row in found] == [("failed", "consent-withdrawn", 0)] * 2


def test_a_photograph_that_waited_is_not_read(site: Runtime) -> None:
    code = open_case(site)
    photograph(site, code, JPEG, read=False)
    withdraw(site, code)
    (row,) = [each for each in rows(site, outbox) if each.task == "read_photo"]
    assert (row.state, row.error) == ("done", "consent-withdrawn")
    (picture,) = rows(site, photo)
    assert (picture.state, picture.error) == ("refused", "consent-withdrawn")
    Chat(site, Kind.WHATSAPP, PATIENT).write(f"{code} R", photos=1)
    assert rows(site, photo)[-1].screening_id is None


def test_the_files_and_the_readings_are_gone(case: tuple[Runtime, str]) -> None:
    site, code = case
    withdraw(site, code)
    for final in (False, True, True):
        erase(site, final=final)
        assert rows(site, reading) == []
        for content in (JPEG, HEAT):
            with pytest.raises(FileNotFoundError):
                site.media.content(sha_of(content))


def test_a_file_that_another_patient_has_too_stays(case: tuple[Runtime, str]) -> None:
    site, code = case
    other = open_case(site)
    assert photograph(site, other, JPEG, read=False) == sha_of(JPEG)
    withdraw(site, code)
    erase(site, final=True)
    assert site.media.content(sha_of(JPEG)) == JPEG


def test_nothing_about_health_stays_in_the_store(case: tuple[Runtime, str], monkeypatch: pytest.MonkeyPatch) -> None:
    site, code = case
    phone = Ussd(site, PATIENT)
    phone.dial()
    phone.press("1")
    phone.press(code)
    worker = Ussd(site)
    worker.dial()
    for answer in ("2", code):
        worker.press(answer)
    withdraw(site, code, by="worker")
    later = clock.now_ms() + clock.HOUR_MS
    monkeypatch.setattr("services.screening.withdrawal.now_ms", lambda: later)
    erase(site, final=True)
    kept = json.dumps([[str(row) for row in rows(site, table)] for table in METADATA.sorted_tables if "id" in table.c])
    for secret in ("1961", "refer", "retinopathy", "female", sha_of(JPEG), sha_of(HEAT)):
        assert secret not in kept, secret
    (row,) = rows(site, screening)
    assert (row.state, row.outcome, row.patient_msisdn, row.sex, row.birth_year) == (
        "withdrawn",
        None,
        None,
        "unknown",
        0,
    )
    (given,) = rows(site, consent)
    assert (given.version, given.withdrawn_by, given.withdrawn_channel, given.msisdn) == (
        "test",
        "worker",
        "ussd",
        None,
    )
    assert given.withdrawn_at >= given.given_at


def test_what_is_being_said_is_left_to_be_said_at_first(case: tuple[Runtime, str]) -> None:
    site, code = case
    phone = Ussd(site, PATIENT)
    phone.dial()
    for answer in ("6", "1", code):
        screen = phone.press(answer)
    withdraw(site, code)
    erase(site, final=False)
    assert phone.send(phone.text) == screen
    with site.db.read() as tx:
        assert any(code in json.dumps(row.journal) for row in conversations(tx, conversation.c.content != ""))


def test_a_screening_whose_consent_holds_is_never_erased(case: tuple[Runtime, str]) -> None:
    site, _ = case
    erase(site, final=True)
    assert len(rows(site, reading)) == 1
    assert site.media.content(sha_of(JPEG)) == JPEG


def test_guessing_codes_to_erase_locks(site: Runtime) -> None:
    open_case(site)
    states = [withdraw(site, "100009") for _ in range(6)]
    assert states == ["unknown"] * 5 + ["locked"]


def test_the_other_screenings_of_a_patient_stay(case: tuple[Runtime, str]) -> None:
    site, code = case
    other = open_case(site)
    decide(site, other, "rescreen")
    withdraw(site, code)
    erase(site, final=True)
    with site.db.write() as tx:
        assert cases.result_for(tx, code=other, msisdn=PATIENT)["outcome"] == "rescreen"


def test_the_jobs_are_asked_for_with_the_withdrawal(case: tuple[Runtime, str]) -> None:
    site, code = case
    withdraw(site, code)
    now, later = [each for each in rows(site, outbox) if each.task == "erase_screening"]
    assert now.not_before == 0
    assert later.not_before > clock.now_ms() + 59 * clock.MINUTE_MS
    queue.perform(now.id)
    assert rows(site, reading) == []
    assert [each.sha256 for each in rows(site, photo)] == [sha_of(JPEG)]
    queue.perform(later.id)
    assert [each.sha256 for each in rows(site, photo)] == [None]
