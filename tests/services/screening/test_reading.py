"""The job that reads a photograph: one conclusion and one set of messages, however often it runs."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import texts
from phones import PATIENT, WORKER, open_case

from flows.catalogue import text
from models.dr.phantom import draw
from services.channels.base import Inbound, Kind, Media
from services.messaging.inbox import receive
from services.runtime import Runtime
from services.screening.cases import finish_with_one_eye, open_screening, result_for
from services.screening.people import WRONG_CODES_ALLOWED, remove_worker
from services.screening.reading import read_photo
from services.store.sealing import phone_token
from services.store.tables import consent, message, outbox, photo, reading


def jpeg(seed: int, *, lesions: bool = False, blank: bool = False) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    picture = Image.new("RGB", (600, 600), (90 + seed, 90, 90)) if blank else draw(seed, 600, lesions=lesions)
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture
def code(site: Runtime) -> str:
    return open_case(site, language="luo")


def send(site: Runtime, code: str, eye: str, content: bytes, identity: str) -> None:
    media = (Media("image/jpeg", content=content),)
    assert receive(site, Inbound("mm7", Kind.MMS, identity, WORKER, "", f"{code} {eye}", media))
    with site.db.read() as tx:
        newest = tx.execute(sa.select(sa.func.max(photo.c.id))).scalar_one()
    read_photo(site, {"photo_id": newest})


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)))


def messages(site: Runtime, *, to: str = WORKER, kind: str = "sms") -> list[str]:
    with site.db.read() as tx:
        return texts(tx, message.c.recipient == to, message.c.kind == kind)


def result(site: Runtime, code: str) -> dict[str, Any]:
    with site.db.write() as tx:
        return result_for(tx, code=code, msisdn=PATIENT)


def test_a_job_that_runs_three_times_concludes_once(site: Runtime, code: str) -> None:
    send(site, code, "left", jpeg(1, lesions=True), "1")
    for _ in range(2):
        read_photo(site, {"photo_id": 1})
    assert len(rows(site, reading)) == 1
    assert len(messages(site)) == 2, "received, and the result"
    assert messages(site, to=PATIENT) == [text("luo", "patient-ready", clinic="Jicho", ussd="*384*77#")]
    assert len(messages(site, to=PATIENT, kind="voice")) == 1
    assert [row.task for row in rows(site, outbox)].count("prepare_call") == 1
    assert result(site, code)["outcome"] == "refer"


def test_the_clean_copy_replaces_what_came(site: Runtime, code: str) -> None:
    content = jpeg(1) + b"GPS 0.0917 S 34.7680 E"
    send(site, code, "left", content, "1")
    (row,) = rows(site, photo)
    kept = site.media.content(row.sha256)
    assert kept[:2] == b"\xff\xd8"
    assert b"GPS" not in kept


def test_two_ungradable_photographs_refer(site: Runtime, code: str) -> None:
    send(site, code, "left", jpeg(1, blank=True), "1")
    assert "RETAKE" in messages(site)[-1]
    assert result(site, code)["state"] == "waiting"
    send(site, code, "left", jpeg(2, blank=True), "2")
    assert "REFER" in messages(site)[-1]
    assert "never called normal" in messages(site)[-1]
    assert result(site, code)["outcome"] == "refer"


def test_two_clear_eyes_decide_and_a_later_sign_decides_again(site: Runtime, code: str) -> None:
    send(site, code, "left", jpeg(3), "1")
    assert result(site, code)["state"] == "waiting"
    send(site, code, "right", jpeg(4), "2")
    assert result(site, code)["outcome"] == "rescreen"
    send(site, code, "right", jpeg(1, lesions=True), "3")
    assert result(site, code)["outcome"] == "refer"
    assert len(messages(site, to=PATIENT, kind="voice")) == 2


def test_one_eye_is_enough_when_the_worker_says_so(site: Runtime, code: str) -> None:
    def finish() -> str:
        with site.db.write() as tx:
            return str(finish_with_one_eye(tx, code=code, worker=WORKER)["state"])

    assert finish() == "waiting"
    send(site, code, "left", jpeg(3), "1")
    assert finish() == "done"
    assert result(site, code)["outcome"] == "rescreen"


@pytest.mark.parametrize(("eye", "reason"), [("left", "photo-repeated"), ("right", "photo-of-other-eye")])
def test_the_same_picture_again_says_nothing_new(site: Runtime, code: str, eye: str, reason: str) -> None:
    send(site, code, "left", jpeg(3), "1")
    send(site, code, eye, jpeg(3), "2")
    assert messages(site)[-1] == text("en", reason)
    assert len(rows(site, reading)) == 1


def test_what_is_no_photograph_is_refused_and_deleted(site: Runtime, code: str) -> None:
    send(site, code, "left", b"not a picture at all", "1")
    (row,) = rows(site, photo)
    assert (row.state, row.error) == ("refused", "photo-not-image")
    assert messages(site)[-1] == text("en", "photo-not-image")
    with pytest.raises(FileNotFoundError):
        site.media.content(row.sha256)
    send(site, code, "left", jpeg(3), "2")
    assert "Now send the right eye" in messages(site)[-1]


def test_a_carrier_that_repeats_itself_changes_nothing(site: Runtime, code: str) -> None:
    media = (Media("image/jpeg", content=jpeg(3)),)
    again = Inbound("mm7", Kind.MMS, "same", WORKER, "", f"{code} left", media)
    assert [receive(site, again) for _ in range(3)] == [True, False, False]
    assert len(rows(site, photo)) == 1


def test_guessing_codes_locks_a_number(site: Runtime, code: str) -> None:
    with site.db.write() as tx:
        states = [result_for(tx, code="111111", msisdn=PATIENT)["state"] for _ in range(WRONG_CODES_ALLOWED)]
        assert states == ["unknown"] * WRONG_CODES_ALLOWED
        assert result_for(tx, code=code, msisdn=PATIENT)["state"] == "locked"
        assert result_for(tx, code=code, msisdn=WORKER)["state"] == "waiting", "another number is not"


def test_consent_is_on_record(site: Runtime, code: str) -> None:
    (row,) = rows(site, consent)
    # Read to the patient in the worker's language; the results come in the patient's.
    assert (row.version, row.language, row.msisdn, row.channel, row.withdrawn_at) == (
        "test",
        "en",
        phone_token(PATIENT),
        "ussd",
        None,
    )
    assert code


def test_a_worker_removed_meanwhile_opens_nothing(site: Runtime, code: str) -> None:
    with site.db.write() as tx:
        assert remove_worker(tx, msisdn=WORKER)
        again = open_screening(
            tx,
            worker=WORKER,
            sex="male",
            birth_year=1950,
            phone=None,
            language="sw",
            consent_version="test",
            channel="ussd",
        )
    assert again == {"code": None}
    assert len(rows(site, consent)) == 1, code
