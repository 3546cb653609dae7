"""Signing in at the console: what the cookie is, where one is led, what is refused, and that a session ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from console import CHEAP, HERE, PASSWORD, account, sign_in, token_in
from flask.testing import FlaskClient
from pydantic import SecretStr

from app import create_app
from services.people import accounts, totp
from services.people.roles import ROLES
from services.runtime import Runtime
from services.store import audit

HTTPS = "https://clinic.example"


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    assert site
    with create_app().test_client() as found:
        yield found


def login(client: FlaskClient, base: str = HERE, **form: str) -> tuple[int, str, str]:
    """Status, where one is led, and the cookie."""
    answer = client.post("/console/login", data={"name": "achieng", "password": PASSWORD} | form, base_url=base)
    return answer.status_code, answer.headers.get("Location", ""), answer.headers.get("Set-Cookie", "")


def test_a_stranger_is_led_to_the_login_and_back(site: Runtime, client: FlaskClient) -> None:
    account(site, "achieng", "nurse")
    answer = client.get("/console/outbox?state=failed", base_url=HERE)
    assert answer.headers["Location"] == "/console/login?to=/console/outbox%3Fstate%3Dfailed"
    for to, led in (
        ("/console/outbox?state=failed", "/console/outbox?state=failed"),
        ("//evil.example", "/console"),
        ("/\\evil.example", "/console"),
        ("https://evil.example", "/console"),
        ("", "/console"),
    ):
        assert login(client, to=to)[:2] == (302, led)
    assert client.get("/console", base_url=HERE).headers["Location"] == "/console/queue"


def test_the_cookie_is_for_this_browser_and_this_site(site: Runtime, client: FlaskClient) -> None:
    account(site, "achieng", "nurse")
    _, _, plain = login(client)
    assert plain.startswith("jicho=")
    assert all(word in plain for word in ("HttpOnly", "SameSite=Strict", "Path=/"))
    _, _, secure = login(client, HTTPS)
    assert secure.startswith("__Host-jicho=")
    assert all(word in secure for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))


def test_pages_are_private_and_run_nothing_foreign(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", *ROLES)
    for path in ("/console/queue", "/console/login", "/"):
        headers = client.get(path, base_url=HERE).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers
    assert "Strict-Transport-Security" in client.get("/console/login", base_url=HTTPS).headers


@pytest.mark.parametrize("page", ["queue", "outbox", "site", "facilities", "workers", "messages", "recording", "me"])
def test_no_page_has_script_or_style_of_its_own(site: Runtime, client: FlaskClient, page: str) -> None:
    sign_in(client, site, "achieng", *ROLES)
    text = client.get(f"/console/{page}", base_url=HERE).text
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    ("base", "remote", "public_url", "status"),
    [
        ("http://localhost:8080", "127.0.0.1", "", 200),
        ("http://[::1]:8080", "::1", "", 200),
        ("https://clinic.example", "41.80.0.1", "", 200),
        ("http://clinic.example", "127.0.0.1", "https://clinic.example", 200),  # what its TLS proxy brings
        ("http://clinic.example:8080", "127.0.0.1", "", 403),  # a page of another site, by a name that leads here
        ("http://192.168.1.2:8080", "192.168.1.20", "", 403),
        ("http://localhost:8080", "192.168.1.20", "", 403),
    ],
)
def test_no_password_travels_in_the_clear(
    site: Runtime, client: FlaskClient, base: str, remote: str, public_url: str, status: int
) -> None:
    site.settings = site.settings.model_copy(update={"public_url": public_url})
    answer = client.get("/console/login", base_url=base, environ_base={"REMOTE_ADDR": remote})
    assert answer.status_code == status


def test_a_form_needs_its_token_and_its_own_page(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", "operator")
    token = token_in(client.get("/console/workers", base_url=HERE).text)
    form = {"phone": "0722000002", "name": "Auma"}

    def send(form: dict[str, str], **headers: str) -> int:
        return client.post("/console/workers", data=form, base_url=HERE, headers=headers).status_code

    assert send(form) == 403
    assert send(form | {"token": "0" * 64}) == 403
    assert send(form | {"token": token}, Origin="https://evil.example") == 403
    assert send(form | {"token": token}, Origin="null") == 403
    assert send(form | {"token": token}, Origin="http://localhost:8080") == 302
    assert (
        client.post("/console/login", data=form, base_url=HERE, headers={"Origin": "https://evil.example"}).status_code
        == 403
    )


def test_a_printed_password_leads_to_choosing_one(site: Runtime, client: FlaskClient) -> None:
    with site.db.write() as tx:
        said = accounts.add(tx, "achieng", {"nurse"}, cost=CHEAP)
    assert login(client, password=said)[0] == 302
    assert client.get("/console/queue", base_url=HERE).headers["Location"] == "/console/me"
    token = token_in(client.get("/console/me", base_url=HERE).text)
    form = {"token": token, "old": said, "new": "eye of the lake", "again": "eye of the lake"}
    assert client.post("/console/me/password", data=form | {"again": "another"}, base_url=HERE).status_code == 422
    assert client.post("/console/me/password", data=form, base_url=HERE).status_code == 302
    assert client.get("/console/queue", base_url=HERE).status_code == 200


def test_who_administers_patients_needs_a_second_factor(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", "administrator")
    assert client.get("/console/accounts", base_url=HERE).status_code == 200, "in a trial it is offered"
    site.settings = site.settings.model_copy(update={"carrier": "live", "audio_secret": SecretStr("s" * 32)})
    assert client.get("/console/accounts", base_url=HERE).headers["Location"] == "/console/me"
    page = client.get("/console/me", base_url=HERE).text
    secret = page.split('name="secret" value="')[1].split('"')[0]
    assert page.count("<svg") == 1
    form = {"token": token_in(page), "secret": secret, "code": "123"}
    assert client.post("/console/me/second-factor", data=form, base_url=HERE).status_code == 422
    form["code"] = totp.code_at(secret, totp.current_step() - 1)
    assert client.post("/console/me/second-factor", data=form, base_url=HERE).status_code == 302
    assert client.get("/console/accounts", base_url=HERE).status_code == 200
    assert secret not in client.get("/console/me", base_url=HERE).text
    assert login(client)[0] == 401
    assert login(client, code=totp.code_at(secret, totp.current_step()))[0] == 302


def test_wrong_ones_are_alike_and_soon_locked(site: Runtime, client: FlaskClient) -> None:
    account(site, "achieng", "nurse")
    client.set_cookie("jicho-language", "en", domain="localhost")
    known = client.post("/console/login", data={"name": "achieng", "password": "x"}, base_url=HERE)
    unknown = client.post("/console/login", data={"name": "nobody", "password": "x"}, base_url=HERE)
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text) != (200, "")
    assert "Name, password or code is wrong." in known.text
    tries = [login(client, password="guess")[0] for _ in range(6)]
    assert tries == [401] * 4 + [429] * 2
    assert login(client)[0] == 429


def test_signing_out_ends_the_session_here(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", "nurse")
    cookie = client.get_cookie("jicho", domain="localhost")
    assert cookie is not None
    token = token_in(client.get("/console/queue", base_url=HERE).text)
    assert client.post("/console/logout", data={"token": token}, base_url=HERE).status_code == 302
    client.set_cookie("jicho", cookie.value, domain="localhost")
    assert client.get("/console/queue", base_url=HERE).status_code == 302, "a cookie that was kept opens nothing"
    assert client.get("/console/queue", base_url=HERE, headers={"HX-Request": "true"}).headers["HX-Redirect"]


def test_a_disabled_account_is_out_at_once(site: Runtime, client: FlaskClient) -> None:
    sign_in(client, site, "achieng", "nurse")
    assert client.get("/console/queue", base_url=HERE).status_code == 200
    with site.db.write() as tx:
        accounts.disable(tx, "achieng")
    assert client.get("/console/queue", base_url=HERE).status_code == 302


def test_a_newcomer_is_told_how_to_get_in(site: Runtime, client: FlaskClient) -> None:
    assert "app.py account add" in client.get("/console/login", base_url=HERE).text
    account(site, "achieng", "nurse")
    assert "app.py account add" not in client.get("/console/login", base_url=HERE).text


@pytest.mark.parametrize(("language", "said"), [("en", "Sign in"), ("sw", "Ingia"), ("luo", "Donji")])
def test_pages_speak_three_languages(site: Runtime, client: FlaskClient, language: str, said: str) -> None:
    account(site, "achieng", "nurse")
    answer = client.post("/console/language", data={"language": language}, base_url=HERE)
    assert answer.status_code == 302
    page = client.get("/console/login", base_url=HERE, headers={"Accept-Language": "de"}).text
    assert f"<h1>{said}</h1>" in page
    assert f'<html lang="{language}">' in page
    assert client.post("/console/language", data={"language": "fr"}, base_url=HERE).status_code == 400


def test_who_signed_in_stands_in_the_log(site: Runtime, client: FlaskClient) -> None:
    account(site, "achieng", "nurse")
    login(client)
    token = token_in(client.get("/console/queue", base_url=HERE).text)
    client.post("/console/logout", data={"token": token}, base_url=HERE)
    with site.db.read() as tx:
        assert [(each["actor"], each["action"]) for each in audit.newest(tx, 5)] == [
            ("achieng", "sign-in"),
            ("achieng", "sign-out"),
        ]
