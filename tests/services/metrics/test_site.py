"""What Prometheus reads: true figures, for whoever may have them, with nothing of a person in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from phones import PATIENT, WORKER, Ussd, open_case, send_photograph
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from app import create_app
from services import RELEASED
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.store import schema
from services.store.clock import now_ms
from services.store.tables import outbox

TOKEN = "t" * 24


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:  # noqa: ARG001 - the site that it serves
    with create_app().test_client() as found:
        yield found


def figures(client: FlaskClient) -> dict[tuple[Any, ...], float]:
    """Each figure by its name and the values of its labels, in the order of the labels' names."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_waits_and_what_happened(site: Runtime, client: FlaskClient) -> None:
    code = open_case(site)
    send_photograph(site, code, "left", "one")
    with site.db.write() as tx:
        tx.execute(outbox.update().values(created_at=now_ms() - 90_000))
    found = figures(client)
    assert found["jicho_screenings", "none", "dr"] == 1
    assert sum(value for key, value in found.items() if key[0] == "jicho_photographs") == 1
    assert found["jicho_inbound", "mm7", "mms"] == 1
    assert found["jicho_messages", "sms", "pending"] == 1
    assert found["jicho_outbox", "inference", "pending"] == 1
    assert 89 < found["jicho_outbox_oldest_seconds", "inference"] < 120
    assert found["jicho_disk_free_bytes",] == 10_000 * 2**20, "as the probes are told"
    assert found["jicho_short_of", "battery-low"] == 0
    assert found["jicho_section_failed", "queue"] == 1, "no queue server runs here: said, and nothing else is missing"
    assert {key for key, value in found.items() if key[0] == "jicho_section_failed" and value} == {
        ("jicho_section_failed", "queue")
    }


def test_requests_are_timed_by_route(site: Runtime, client: FlaskClient) -> None:
    secret = site.settings.at_token.get_secret_value()
    client.post(f"/at/{secret}/sms", data={})
    client.get("/nowhere/+254722000002")
    found = figures(client)
    assert found["jicho_http_request_seconds_count", "POST", "/at/<token>/sms", "4xx"] == 1
    assert found["jicho_http_request_seconds_count", "GET", "none", "4xx"] == 1


def test_nothing_of_a_person_is_in_it(site: Runtime, client: FlaskClient) -> None:
    code = open_case(site)
    Ussd(site, PATIENT).dial()
    with site.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, f"{code} left eye: REFER", key="x", purpose="result", language="en")
    client.get(f"/nowhere/{PATIENT}/{code}")
    text = client.get("/metrics").text
    labels = re.findall(r'="([^"]*)"', text)
    assert labels
    for secret in (
        WORKER,
        PATIENT,
        WORKER[1:],
        PATIENT[1:],
        "Achieng",
        code,
        site.settings.at_token.get_secret_value(),
    ):
        assert not [label for label in labels if secret in label]
    assert not [label for label in labels if re.search(r"\d{6}", label)], "no number, no code"


@pytest.mark.parametrize(
    ("settings", "address", "token", "status"),
    [
        ({}, "127.0.0.1", "", 200),
        ({}, "192.168.1.20", "", 404),
        ({"public_url": "https://jicho.example.org"}, "127.0.0.1", "", 404),
        ({"metrics_token": SecretStr(TOKEN)}, "192.168.1.20", "", 404),
        ({"metrics_token": SecretStr(TOKEN)}, "192.168.1.20", "wrong", 404),
        ({"metrics_token": SecretStr(TOKEN)}, "192.168.1.20", TOKEN, 200),
        ({"metrics_from": "10.8.0.0/24, 192.168.1.0/24"}, "192.168.1.20", "", 200),
        ({"metrics_from": "10.8.0.0/24"}, "192.168.1.20", "", 404),
    ],
)
def test_who_may_read_it(
    site: Runtime, client: FlaskClient, settings: dict[str, Any], address: str, token: str, status: int
) -> None:
    site.settings = site.settings.model_copy(update=settings)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_a_part_that_fails_does_not_take_the_rest(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.metrics.site.schema_of", lambda _tx: 1 / 0)
    found = figures(client)
    assert found["jicho_section_failed", "build"] == 1
    assert found["jicho_sync_waiting",] == 0


def test_ready_says_what_an_operator_needs(site: Runtime, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").get_json()["problems"] == []
    with site.db.write() as tx:
        tx.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
    with monkeypatch.context() as patch:
        patch.setattr("services.gateway.health.RELEASED", RELEASED.replace(year=2999))
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["problems"][:2] == [
        f"the store has schema 0001, this release needs {schema.newest()}",
        "the clock is before this release's day",
    ]
