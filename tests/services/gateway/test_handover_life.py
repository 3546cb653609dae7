"""What becomes later of what a phone handed over: consents taken back there, outcomes from here, one eye, SMS that say
nothing new, and phones that are closed."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from app import create_app, main
from services.bench.webapp_pictures import encoded_eye
from services.runtime import Runtime
from services.screening import pocket, pocket_life
from services.screening.people import add_worker
from services.screening.reading import read_photo
from services.store.clock import now_ms
from services.store.tables import app_device, consent, message, photo, review, screening, worker

WORKER = "+254711000001"
GIVEN = {"sex": "female", "birth_year": 1961, "phone": "0722000002", "language": "sw", "consent": "2026-11"}
GIVEN |= {"urgent": False, "one_eye": False}
TOKEN = {"Authorization": "Bearer of-this-phone"}
SICK, WELL = encoded_eye(3, lesions=True, size=320), encoded_eye(4, lesions=False, size=320)


@pytest.fixture
def client(site: Runtime) -> FlaskClient:
    connect_a_phone(site)
    return create_app().test_client()


def connect_a_phone(site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
        whose = tx.execute(sa.select(worker.c.id)).scalar_one()
        row = {"worker_id": whose, "token_sha256": pocket._sha256("of-this-phone"), "enrolled_at": now_ms()}
        tx.execute(app_device.insert().values(row))


def handed_over(client: FlaskClient, ref: str, **photographs: tuple[bytes, str]) -> str:
    """A screening whose photographs, by eye, come with what the phone made of them."""
    code: str = client.put(f"/app/screenings/{ref}", json=GIVEN, headers=TOKEN).get_json()["code"]
    for eye, (content, outcome) in photographs.items():
        read = {"outcome": outcome, "quality": {"gradable": True}}
        data = {"photograph": (io.BytesIO(content), "eye.jpg"), "eye": eye, "reading": json.dumps(read)}
        url = f"/app/screenings/{ref}/photographs/{uuid4()}"
        assert client.put(url, data=data, headers=TOKEN).status_code == 204
    return code


def read_all(site: Runtime) -> None:
    with site.db.read() as tx:
        waiting = (
            tx.execute(sa.select(photo.c.id).where(photo.c.state == "attached").order_by(photo.c.id)).scalars().all()
        )
    for number in waiting:
        read_photo(site, {"photo_id": number})


def news_of(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/app/news", headers=TOKEN).get_json()
    return found


def told(site: Runtime) -> list[str]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(message.c.purpose).order_by(message.c.id)).scalars())


def test_what_the_phone_took_back_is_erased_here_too(site: Runtime, client: FlaskClient) -> None:
    ref = str(uuid4())
    handed_over(client, ref, left=(SICK, "refer"))
    for _ in range(2):
        assert client.delete(f"/app/screenings/{ref}", headers=TOKEN).status_code == 204
    assert client.delete(f"/app/screenings/{uuid4()}", headers=TOKEN).status_code == 204, "what never came"
    with site.db.read() as tx:
        (case,) = tx.execute(sa.select(screening)).all()
        (agreed,) = tx.execute(sa.select(consent)).all()
        states = tx.execute(sa.select(photo.c.state)).scalars().all()
    assert (case.state, case.birth_year, case.patient_msisdn, states) == ("withdrawn", 0, None, ["refused"])
    assert (agreed.withdrawn_by, agreed.withdrawn_channel) == ("worker", "app")
    assert news_of(client) == {ref: {"withdrawn": True, "outcome": None, "reviewed": False, "says": []}}


def test_outcomes_come_back_once(site: Runtime, client: FlaskClient) -> None:
    ref = str(uuid4())
    handed_over(client, ref, left=(SICK, "refer"))
    assert news_of(client)[ref]["outcome"] is None
    read_all(site)
    answer = client.get("/app/news", headers=TOKEN)
    found = answer.get_json()[ref]
    assert (found["outcome"], found["reviewed"]) == ("refer", False)
    assert found["says"] == [["result-refer", {"place": "place-eye-clinic"}]]
    again = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/app/news", headers=TOKEN | again).status_code == 304
    assert answer.headers["Cache-Control"] == "no-store"
    with site.db.write() as tx:
        tx.execute(screening.update().values(outcome="rescreen"))
        tx.execute(review.insert().values(_verdict(tx)))
    found = client.get("/app/news", headers=TOKEN | again).get_json()[ref]
    assert (found["outcome"], found["reviewed"]) == ("rescreen", True)
    assert found["says"] == [["result-reviewed", {}], ["result-rescreen", {}]]


def _verdict(tx: Any) -> dict[str, Any]:
    case = tx.execute(sa.select(screening.c.id)).scalar_one()
    eyes = {"left": {"grade": 0, "oedema": False}}
    row = {"screening_id": case, "review_ref": 1, "reviewer": 1, "outcome_before": "refer", "outcome": "rescreen"}
    return row | {
        "eyes": eyes,
        "last_reading": 1,
        "applied": True,
        "told": "",
        "reviewed_at": now_ms(),
        "applied_at": now_ms(),
    }


@pytest.mark.parametrize("said_first", [True, False])
def test_one_eye_decides_whenever_the_phone_says_so(site: Runtime, client: FlaskClient, said_first: bool) -> None:
    ref = str(uuid4())
    one = GIVEN | {"one_eye": True}
    if said_first:
        client.put(f"/app/screenings/{ref}", json=one, headers=TOKEN)
    handed_over(client, ref, left=(WELL, "rescreen"))
    read_all(site)
    if not said_first:
        client.put(f"/app/screenings/{ref}", json=one, headers=TOKEN)
    assert news_of(client)[ref]["outcome"] == "rescreen"


@pytest.mark.parametrize(
    ("on_the_phone", "sent"),
    [("refer", ["result", "result"]), ("rescreen", ["result-worker", "result", "result"])],
)
def test_the_worker_is_told_only_what_she_has_not_seen(
    site: Runtime, client: FlaskClient, on_the_phone: str, sent: list[str]
) -> None:
    handed_over(client, str(uuid4()), left=(SICK, on_the_phone))
    read_all(site)
    assert told(site) == sent, "the patient is told as always"


def test_a_phone_that_was_closed_takes_nothing_and_is_told_so(site: Runtime, client: FlaskClient) -> None:
    ref = str(uuid4())
    handed_over(client, ref)
    with site.db.write() as tx:
        assert pocket_life.revoke(tx, 1)
    for answer in (
        client.get("/app/news", headers=TOKEN),
        client.put(f"/app/screenings/{ref}", json=GIVEN, headers=TOKEN),
        client.delete(f"/app/screenings/{ref}", headers=TOKEN),
    ):
        assert (answer.status_code, answer.get_json()) == (403, {"closed": True})
    elsewhere = TOKEN | {"Origin": "https://elsewhere.example"}
    answer = client.delete(f"/app/screenings/{ref}", headers=elsewhere)
    assert (answer.status_code, answer.is_json) == (403, False), "nobody else can have a phone erased"


def test_the_operator_sees_phones_and_closes_one(migrated: Runtime) -> None:
    connect_a_phone(migrated)
    assert create_app().test_client().get("/app/news", headers=TOKEN).status_code == 200
    runner = CliRunner()
    assert re.search(
        r"1  Achieng  since [\d-]{10}, seen [\d-]{10}, 0 screenings\n", runner.invoke(main, ["webapp", "phones"]).output
    )
    assert runner.invoke(main, ["webapp", "revoke", "7"]).exit_code == 1
    assert runner.invoke(main, ["webapp", "revoke", "1"]).exit_code == 0
    assert "(closed" in runner.invoke(main, ["webapp", "phones"]).output
