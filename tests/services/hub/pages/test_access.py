"""Who sees the hub's pages, and who does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from hub_results import HTTPS, model_at, result_at, sign_in, site_at, token_in

from services.hub.application import create_hub
from services.hub.reviewers import add, remove
from services.hub.runtime import Hub

PAGES = ("/sites", "/review", "/monitoring", "/alerts", "/review/1")


@pytest.fixture
def client(hub: Hub) -> Iterator[FlaskClient]:
    result_at(hub, site_at(hub), model_at(hub), ("left", "referable"), ("right", "normal"), ref=1, shown=("left",))
    with create_hub().test_client() as found:
        yield found


def statuses(client: FlaskClient, **environ: str) -> list[int]:
    return [client.get(page, base_url=HTTPS, environ_overrides=environ).status_code for page in PAGES]


def test_a_stranger_is_led_to_the_login_and_back(client: FlaskClient) -> None:
    assert statuses(client) == [302] * len(PAGES)
    assert client.get("/sites", base_url=HTTPS).headers["Location"] == "/login?to=/sites"
    assert client.post("/review/1", base_url=HTTPS).status_code == 401


def test_a_reviewer_sees_everything_and_an_operator_no_case(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    assert statuses(client) == [200] * len(PAGES)
    sign_in(hub, client, "Otieno", "operator")
    assert statuses(client) == [200, 403, 200, 200, 403]
    assert client.get("/", base_url=HTTPS).headers["Location"] == "/sites"


def test_nobody_else_reads_along(client: FlaskClient) -> None:
    elsewhere = client.get("/login", base_url="http://hub.example", environ_overrides={"REMOTE_ADDR": "41.80.0.1"})
    assert elsewhere.status_code == 403
    assert client.get("/login", base_url="http://localhost").status_code == 200, "on the hub's own machine"
    assert client.get("/login", base_url=HTTPS, environ_overrides={"REMOTE_ADDR": "41.80.0.1"}).status_code == 200


def test_the_cookie_is_for_this_hub_only(hub: Hub, client: FlaskClient) -> None:
    with hub.db.write() as tx:
        password = add(tx, "Atieno", "reviewer")
    for to, led in (("/monitoring", "/monitoring"), ("//evil.example", "/"), ("https://evil.example", "/")):
        answer = client.post("/login", data={"name": "Atieno", "password": password, "to": to}, base_url=HTTPS)
        assert answer.headers["Location"] == led
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-jicho=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
    page = client.get("/review", base_url=HTTPS)
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_form_needs_its_token_and_its_own_page(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    token = token_in(client.get("/review/1", base_url=HTTPS).text)
    form = {"seq": 1, "left-grade": "2", "outcome": "refer"}
    assert client.post("/review/1", data=form, base_url=HTTPS).status_code == 403
    assert client.post("/review/1", data=form | {"token": "0" * 64}, base_url=HTTPS).status_code == 403
    other = {"Origin": "https://evil.example"}
    assert client.post("/review/1", data=form | {"token": token}, base_url=HTTPS, headers=other).status_code == 403
    assert client.post("/review/1", data=form | {"token": token}, base_url=HTTPS).status_code == 302


def test_passwords_cannot_be_tried_for_ever(hub: Hub, client: FlaskClient) -> None:
    with hub.db.write() as tx:
        password = add(tx, "Atieno", "reviewer")

    def attempt(name: str, word: str) -> int:
        return client.post("/login", data={"name": name, "password": word}, base_url=HTTPS).status_code

    assert [attempt("Atieno", f"guess {n}") for n in range(11)] == [401] * 10 + [429]
    assert attempt("Atieno", password) == 429
    assert attempt("Nobody", "guess") == 401


def test_who_is_removed_or_signs_out_is_out_at_once(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    token = token_in(client.get("/review", base_url=HTTPS).text)
    assert client.post("/logout", data={"token": token}, base_url=HTTPS).status_code == 302
    assert statuses(client)[0] == 302
    sign_in(hub, client)
    with hub.db.write() as tx:
        assert remove(tx, "Dr Atieno")
    assert statuses(client)[0] == 302
