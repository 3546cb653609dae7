"""What pages show of patients, to whom, and that each look is written down."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from console import HERE, PATIENT, WORKER, screened, sign_in, token_in
from flask.testing import FlaskClient

from app import create_app
from services.channels.base import Kind
from services.messaging.outbox import post
from services.people.roles import ROLES
from services.runtime import Runtime
from services.screening.people import add_worker
from services.store import audit
from services.store.tables import screening


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    assert site.db.is_sqlite
    with create_app().test_client() as found:
        found.set_cookie("jicho-language", "en", domain="localhost")
        yield found


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(f"/console/{path}", base_url=HERE)
    assert answer.status_code == 200, path
    return answer.text


def send(client: FlaskClient, path: str, **form: Any) -> tuple[int, str]:
    token = token_in(page(client, "me"))
    answer = client.post(f"/console/{path}", data={"token": token} | form, base_url=HERE)
    return answer.status_code, answer.text


def log(site: Runtime) -> list[tuple[str, str]]:
    with site.db.read() as tx:
        return [(each["action"], each["subject"]) for each in audit.newest(tx, 50)]


def test_lists_name_nobody_and_a_number_is_shown_on_request(site: Runtime, client: FlaskClient) -> None:
    case = screened(site)
    sign_in(client, site, "achieng", "nurse")
    for path in ("queue", "queue?view=look", f"screenings/{case}", "outbox"):
        text = page(client, path)
        assert PATIENT not in text, path
        assert WORKER not in text, path
    assert "+2547••••••02" in page(client, "outbox")
    assert f'href="tel:{PATIENT}"' in page(client, f"screenings/{case}/number")
    assert ("number-viewed", f"screening:{case}") in log(site)


def test_each_look_is_written_down(site: Runtime, client: FlaskClient) -> None:
    case = screened(site)
    sign_in(client, site, "atieno", "reviewer")
    page(client, "queue")
    assert log(site) == [], "a list shows nobody"
    page(client, f"screenings/{case}")
    first = client.get("/console/photographs/1", base_url=HERE)
    assert (first.status_code, first.mimetype, first.data[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert client.get("/console/photographs/1/heatmap", base_url=HERE).status_code == 200
    assert client.get("/console/photographs/2/heatmap", base_url=HERE).status_code == 404, "a normal eye has none"
    again = client.get("/console/photographs/1", base_url=HERE, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    subject = f"screening:{case}"
    assert log(site) == [(f"{what}-viewed", subject) for what in ("screening", "photograph", "heatmap")]


def test_a_verdict_is_kept_and_shown(site: Runtime, client: FlaskClient) -> None:
    case = screened(site)
    sign_in(client, site, "atieno", "reviewer")
    form = {"last": 2, "left-grade": "1", "right-grade": "0", "outcome": "rescreen"}
    status, said = send(client, f"screenings/{case}", **form | {"left-grade": "2"})
    assert (status, "Grade 2 or more" in said) == (422, True)
    assert send(client, f"screenings/{case}", **form | {"last": 1})[0] == 409
    assert send(client, f"screenings/{case}", **form)[0] == 302
    shown = page(client, f"screenings/{case}")
    assert "atieno, <strong>No referable signs</strong>" in shown
    assert "The patient is told by a call." in shown
    assert ("screening-judged", f"screening:{case}") in log(site)
    assert f">Screening {case}<" not in page(client, "queue?view=look")


def test_who_took_consent_back_is_gone(site: Runtime, client: FlaskClient) -> None:
    case = screened(site)
    with site.db.write() as tx:
        tx.execute(screening.update().values(state="withdrawn"))
    sign_in(client, site, "achieng", "nurse")
    for path in (f"screenings/{case}", f"screenings/{case}/number", "photographs/1", "photographs/1/heatmap"):
        assert client.get(f"/console/{path}", base_url=HERE).status_code == 404, path


def test_messages_show_states_and_no_text(site: Runtime, client: FlaskClient) -> None:
    with site.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, "your secret", key="k", purpose="result", language="en")
    sign_in(client, site, "otieno", "operator")
    shown = page(client, "outbox")
    assert "your secret" not in shown
    assert "+2547•" in shown
    assert "waiting" in shown
    assert "Nothing" not in page(client, "outbox?state=pending")
    assert client.get("/console/outbox?state=lost", base_url=HERE).status_code == 404


def test_workers_are_added_removed_and_listed(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "otieno", "operator")
    assert send(client, "workers", phone="0711 000 001", name="Achieng", language="luo")[0] == 302
    assert WORKER in page(client, "workers")
    assert send(client, "workers", phone="12", name="Achieng")[0] == 422
    assert send(client, "workers", phone=WORKER, name=" ")[0] == 422
    assert send(client, "workers/remove", phone=WORKER)[0] == 302
    assert "removed" in page(client, "workers")
    assert log(site) == [("worker-add", audit.phone(WORKER)), ("worker-remove", audit.phone(WORKER))]


def test_facilities_are_listed_changed_and_imported(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "otieno", "operator")
    assert send(client, "facilities", name="Eye Unit", town="Siaya", days="mon-fri")[0] == 302
    assert "Referred patients are sent to Eye Unit, Siaya." in page(client, "facilities")
    status, said = send(client, "facilities", name="Eye Unit", town="Siaya", days="someday")
    assert (status, "is no day" in said) == (422, True)
    table = client.get("/console/facilities/facilities.csv", base_url=HERE).text + "Eye Clinic,Kisumu,,,,,,\n"
    assert send(client, "facilities/import", table=(io.BytesIO(table.encode()), "list.csv"))[0] == 302
    assert "Eye Clinic, Kisumu" in page(client, "facilities")
    status, said = send(client, "facilities/import", table=(io.BytesIO(b"name,town\nX,\n"), "list.csv"))
    assert (status, "row 2: it has no town" in said) == (422, True)
    assert send(client, "facilities/remove", number="1")[0] == 302
    assert "Eye Unit" not in page(client, "facilities")


def test_settings_hide_secrets(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "otieno", "operator")
    shown = page(client, "settings")
    for name, value in site.settings:
        if hasattr(value, "get_secret_value") and value.get_secret_value():
            assert value.get_secret_value() not in shown, name
    assert "JICHO_AT_TOKEN" in shown


def test_accounts_are_made_and_taken_away(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", *ROLES)
    status, said = send(client, "accounts", name="Otieno", role=["operator", "nurse"])
    assert status == 200
    password = said.split('<code id="password">')[1].split("<")[0]
    assert len(password) == 16
    assert password not in page(client, "accounts")
    assert send(client, "accounts", name="Otieno", role=["nurse"])[0] == 422
    assert send(client, "accounts/disable", name="achieng")[0] == 422, "the last administrator"
    assert send(client, "accounts/disable", name="otieno")[0] == 302
    assert ("account-add", "account:otieno") in log(site)
    assert "account:otieno" in page(client, "log")


def test_the_site_is_drawn(site: Runtime, client: FlaskClient) -> None:
    screened(site)
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng")
    sign_in(client, site, "otieno", "operator")
    shown = page(client, "site")
    assert shown.count("<svg") == 3, "no cost yet"
    assert ": 100.0 %</title>" in shown
