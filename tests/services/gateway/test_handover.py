"""What the web app hands over: enrolment by a code, one screening and one photograph however often they come."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from open_rows import messages, texts

from app import create_app
from services.bench.webapp_pictures import encoded_eye
from services.runtime import Runtime
from services.screening.cases import open_screening
from services.screening.people import add_worker, remove_worker
from services.screening.reading import read_photo
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.store.sealing import phone_token
from services.store.tables import app_reading, consent, message, photo, reading, screening

WORKER = "+254711000001"
GIVEN = {"sex": "female", "birth_year": 1961, "phone": "0722000002", "language": "luo", "consent": "2026-11"}
GIVEN |= {"urgent": False, "one_eye": False}
READ = {"outcome": "refer", "probability": 0.9, "tier": "light"}


@pytest.fixture
def client(site: Runtime) -> FlaskClient:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    return create_app().test_client()


def code_of(site: Runtime) -> str:
    with site.db.read() as tx:
        words = texts(tx, message.c.purpose == "app-code")
    return re.findall(r"\d{6}", words[-1])[0]


@pytest.fixture
def token(site: Runtime, client: FlaskClient) -> str:
    assert client.post("/app/enrol/code", json={"phone": "0711 000 001"}).status_code == 204
    answer = client.post("/app/enrol", json={"phone": WORKER, "code": code_of(site)})
    return str(answer.get_json()["token"])


def put(client: FlaskClient, token: str, url: str, **what: Any) -> Any:
    return client.put(url, headers={"Authorization": f"Bearer {token}"}, **what)


def photograph(client: FlaskClient, token: str, url: str, content: bytes) -> int:
    data = {"photograph": (io.BytesIO(content), "eye.jpg"), "eye": "left", "reading": json.dumps(READ)}
    return int(put(client, token, url, data=data).status_code)


def test_a_code_works_once_and_only_for_its_number(site: Runtime, client: FlaskClient, token: str) -> None:
    again = client.post("/app/enrol", json={"phone": WORKER, "code": code_of(site)})
    assert (again.status_code, bool(token)) == (403, True)
    for _ in range(6):
        client.post("/app/enrol/code", json={"phone": WORKER})
        assert client.post("/app/enrol/code", json={"phone": "0722999999"}).status_code == 204
    with site.db.read() as tx:
        sent = [row.recipient for row in messages(tx, message.c.purpose == "app-code")]
    assert sent == [WORKER] * 3, "three an hour, and none to who is no worker"


def test_guessing_locks_the_number(site: Runtime, client: FlaskClient) -> None:
    client.post("/app/enrol/code", json={"phone": WORKER})
    right = code_of(site)
    for _ in range(5):
        assert client.post("/app/enrol", json={"phone": WORKER, "code": "000000"}).status_code == 403
    assert client.post("/app/enrol", json={"phone": WORKER, "code": right}).status_code == 403


def test_whatever_comes_again_is_taken_once(site: Runtime, client: FlaskClient, token: str) -> None:
    url = f"/app/screenings/{uuid4()}"
    codes = {put(client, token, url, json=GIVEN).get_json()["code"] for _ in range(3)}
    assert len(codes) == 1
    content = encoded_eye(3, lesions=True, size=320)
    name = f"{url}/photographs/{uuid4()}"
    assert [photograph(client, token, name, content) for _ in range(3)] == [204] * 3
    with site.db.read() as tx:
        (case,) = tx.execute(sa.select(screening)).all()
        (taken,) = tx.execute(sa.select(photo)).all()
        (agreed,) = tx.execute(sa.select(consent)).all()
        kept = tx.execute(sa.select(app_reading.c.content)).scalars().all()
    assert (case.sex, case.birth_year, case.patient_msisdn, case.language) == (
        "female",
        1961,
        phone_token("+254722000002"),
        "luo",
    )
    assert (agreed.channel, agreed.version, taken.eye, kept) == ("app", "2026-11", "left", [READ])

    for _ in range(2):
        read_photo(site, {"photo_id": taken.id})
    with site.db.read() as tx:
        (found,) = tx.execute(sa.select(reading)).all()
        outcome = tx.execute(sa.select(screening.c.outcome)).scalar_one()
    assert (found.outcome, found.tier, outcome) == ("refer", "full", "refer"), "our own model's reading decides"


def test_a_withdrawn_consent_takes_the_phones_reading_too(site: Runtime, client: FlaskClient, token: str) -> None:
    url = f"/app/screenings/{uuid4()}"
    code = put(client, token, url, json=GIVEN).get_json()["code"]
    assert photograph(client, token, f"{url}/photographs/{uuid4()}", encoded_eye(3, lesions=True, size=320)) == 204
    with site.db.write() as tx:
        withdraw_consent(tx, code=code, msisdn=WORKER, by="worker", channel="ussd")
    erase_screening(site, {"screening_id": 1, "final": True})
    assert photograph(client, token, f"{url}/photographs/{uuid4()}", b"later") == 410
    assert put(client, token, url, json=GIVEN).status_code == 410
    with site.db.read() as tx:
        assert tx.execute(sa.select(app_reading)).all() == []


@pytest.mark.parametrize(
    "wrong",
    [{"sex": "x"}, {"birth_year": "1961"}, {"birth_year": 1700}, {"language": "fr"}, {"urgent": 1}, {"phone": "12"}],
)
def test_what_no_form_lets_through_is_refused(client: FlaskClient, token: str, wrong: dict[str, Any]) -> None:
    assert put(client, token, f"/app/screenings/{uuid4()}", json=GIVEN | wrong).status_code == 400


def test_only_an_enrolled_phone_of_a_worker_and_only_its_own(site: Runtime, client: FlaskClient, token: str) -> None:
    url = f"/app/screenings/{uuid4()}"
    assert put(client, "guess", url, json=GIVEN).status_code == 401
    assert client.put(url, json=GIVEN).status_code == 401
    assert client.put(url, json=GIVEN, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert photograph(client, token, f"{url}/photographs/{uuid4()}", b"x") == 410, "of a screening that never came"
    with site.db.write() as tx:
        opened = {"sex": "male", "birth_year": 1950, "phone": None, "language": "sw"}
        open_screening(tx, worker=WORKER, consent_version="2026-11", channel="ussd", **opened)
        remove_worker(tx, msisdn=WORKER)
    assert put(client, token, url, json=GIVEN).status_code == 401
