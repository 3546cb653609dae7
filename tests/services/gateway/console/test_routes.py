"""Every route is listed, documented, and tried by everybody: nobody gets past a door that is not open to her."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from console import HERE, PATIENT, screened, sign_in, token_in
from flask.testing import FlaskClient

from app import create_app
from services.gateway.application import rules_of
from services.gateway.routes import ROUTES, as_text
from services.people.roles import ROLES, Role
from services.runtime import Runtime
from services.screening.facilities import Facility, put

DOCUMENT = Path(__file__).parents[4] / "docs" / "access.md"
FORMS = {
    "/console/me/password": {"old": "wrong", "new": "x", "again": "x"},
    "/console/me/second-factor": {"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "code": "1"},
    "/console/screenings/1": {"last": "2", "left-grade": "2", "right-grade": "0", "outcome": "refer"},
    "/console/facilities": {"name": "Eye Unit", "town": "Siaya"},
    "/console/facilities/remove": {"number": "7"},
    "/console/workers": {"phone": PATIENT, "name": "Auma"},
    "/console/workers/remove": {"phone": "+254733000003"},
    "/console/workers/pin": {"phone": "+254733000003"},
    "/console/accounts": {"name": "auma", "role": "nurse"},
    "/console/accounts/roles": {"name": "nobody here", "role": "nurse"},
    "/console/accounts/password": {"name": "nobody here"},
    "/console/accounts/second-factor": {"name": "nobody here"},
    "/console/accounts/disable": {"name": "nobody here"},
    "/console/language": {"language": "sw"},
}
PARTS = {"<int:number>": "1", "<language>": "sw", "<path:filename>": "console.css"}


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    assert screened(site) == 1
    with site.db.write() as tx:
        put(tx, Facility("Eye Unit", "Kisumu"))
    with create_app().test_client() as found:
        yield found


def rules(client: FlaskClient) -> list[tuple[str, str, str]]:
    return list(rules_of(client.application))


def test_every_route_is_listed_and_every_listed_one_is_there(client: FlaskClient) -> None:
    assert {endpoint for endpoint, _, _ in rules(client)} == set(ROUTES)


def test_the_document_is_the_table(client: FlaskClient) -> None:
    assert DOCUMENT.read_text() == as_text(iter(rules(client))), "python -m services.gateway.routes > docs/access.md"


def test_what_is_not_listed_answers_nobody(site: Runtime, client: FlaskClient) -> None:
    client.application.add_url_rule("/console/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    sign_in(client, site, "achieng", *ROLES)
    assert client.get("/console/forgotten", base_url=HERE).status_code == 404


@pytest.mark.parametrize("role", [*ROLES, None])
def test_everybody_tries_everything(site: Runtime, client: FlaskClient, role: Role | None) -> None:
    if role is not None:
        sign_in(client, site, "achieng", role)
    token = token_in(client.get("/console/me", base_url=HERE).text) if role else "0" * 64
    tried = 0
    for endpoint, method, rule in rules(client):
        route = ROUTES[endpoint]
        if not isinstance(route.who, frozenset) or endpoint == "access.sign_out":
            continue
        address = rule
        for part, filled in PARTS.items():
            address = address.replace(part, filled)
        form = {"token": token} | FORMS.get(address, {})
        answer = client.open(address, method=method, base_url=HERE, data=form if method == "POST" else None)
        where = answer.headers.get("Location", "")
        what = f"{role} {method} {address}: {answer.status_code} {where}"
        if role is None:
            assert answer.status_code == (302 if method == "GET" else 401), what
            assert method != "GET" or where.startswith("/console/login"), what
        elif route.is_open_to(role):
            assert answer.status_code not in (401, 403), what
            assert "/login" not in where, what
            # 404: no take was recorded; 422: what these forms say is refused for what it is.
            assert answer.status_code < 500, what
        else:
            assert answer.status_code == 403, what
        tried += 1
    assert tried > 30


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/at/wrong/ussd", "POST", 404),
        ("/at/wrong/ussd-end", "POST", 404),
        ("/at/wrong/sms", "POST", 404),
        ("/at/wrong/delivery", "POST", 404),
        ("/at/wrong/optout", "POST", 404),
        ("/at/wrong/voice", "POST", 404),
        ("/whatsapp", "GET", 403),
        ("/whatsapp", "POST", 403),
        ("/mm7/wrong", "POST", 404),
        ("/twilio/mms", "POST", 403),
        ("/app/enrol", "POST", 400),
        ("/app/enrol/code", "POST", 400),
        ("/app/screenings/12345678-1234-5678-1234-567812345678", "PUT", 400),
        (
            "/app/screenings/12345678-1234-5678-1234-567812345678/photographs/12345678-1234-5678-1234-567812345678",
            "PUT",
            401,
        ),
        ("/audio/x.wav", "GET", 403),
    ],
)
def test_an_account_opens_no_other_door(
    site: Runtime, client: FlaskClient, path: str, method: str, status: int
) -> None:
    sign_in(client, site, "achieng", *ROLES)
    assert client.open(path, method=method, base_url=HERE).status_code == status
