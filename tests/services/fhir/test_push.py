"""Pushing to a real server over a real socket: once or twice, broken off and resumed, refused and told why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fhir_cases import NORMAL, REFERABLE, code_of, decided
from fhir_server import FhirServer
from flask import Response
from hub_results import model_at, result_at, site_at
from phones import PATIENT, WORKER

from services.fhir.edge import Site
from services.fhir.push import AT_ONCE, Progress, Pushed, PushError, push
from services.fhir.resources import Names
from services.hub.runtime import Hub
from services.ledger.wire import Exchange
from services.runtime import Runtime
from services.screening.withdrawal import withdraw_consent
from services.store.clock import now_ms
from services.store.tables import screening

ROOT = Path(__file__).parents[3]
NAMES = Names("urn:jicho")


class Patience:
    """Waits in no time, and remembers how long it would have been."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


def send(site: Runtime, server: FhirServer, **options: Any) -> Pushed:
    progress = Progress(site.settings.data_dir / "fhir-push.json", server.url)
    return push(Site(site), server.url, NAMES, progress, **{"sleep": Patience(), **options})


def many(site: Runtime, number: int) -> list[int]:
    """Screenings decided a second apart, the last one now."""
    found = [decided(site, ("left", REFERABLE), ("right", NORMAL), first=each == 0) for each in range(number)]
    with site.db.write() as tx:
        for age, each in enumerate(reversed(found)):
            tx.execute(screening.update().where(screening.c.id == each).values(decided_at=now_ms() - age * 1000))
    return found


def test_pushing_twice_changes_nothing(site: Runtime, server: FhirServer) -> None:
    many(site, 3)
    assert send(site, server) == Pushed(3, 1)
    before, counted = server.versions(), {kind: len(kept) for kind, kept in server.kept.items()}
    assert counted == {
        "Organization": 1,
        "Patient": 1,
        "Device": 1,
        "Consent": 3,
        "Observation": 6,
        "DiagnosticReport": 3,
        "ServiceRequest": 3,
    }
    assert set(before.values()) == {1}
    assert send(site, server, since=0) == Pushed(3, 1)
    assert server.versions() == before


def test_what_changed_is_updated_where_it_is(site: Runtime, server: FhirServer) -> None:
    many(site, 2)
    send(site, server)
    with site.db.write() as tx:
        tx.execute(screening.update().values(decided_at=now_ms() + 60_000, priority="urgent"))
    send(site, server)
    changed = {name for name, version in server.versions().items() if version > 1}
    # Reports have another time; of an eye the time of its photograph is known.
    assert {name.split("/")[0] for name in changed} == {"DiagnosticReport"}
    assert len(server.all("DiagnosticReport")) == 2


def test_it_goes_on_at_the_last_bundle_that_was_taken(site: Runtime, server: FhirServer) -> None:
    many(site, 2 * AT_ONCE + 3)
    first = Progress(site.settings.data_dir / "fhir-push.json", server.url)
    broken = Breaking(Site(site), after=1)
    with pytest.raises(ConnectionError):
        push(broken, server.url, NAMES, first, sleep=Patience())  # the power goes
    assert len(server.all("DiagnosticReport")) == AT_ONCE
    assert send(site, server) == Pushed(AT_ONCE + 3, 2)
    assert len(server.bundles) == 3, "nothing was sent twice"
    assert len(server.all("DiagnosticReport")) == 2 * AT_ONCE + 3


def test_a_lost_answer_doubles_nothing(site: Runtime, server: FhirServer) -> None:
    many(site, 3)
    server.drop_after = 0
    patience = Patience()
    assert send(site, server, sleep=patience) == Pushed(3, 1)
    assert (server.requests, len(patience.waited)) == (2, 1)
    assert len(server.all("DiagnosticReport")) == 3
    assert set(server.versions().values()) == {1}


def test_a_server_in_trouble_is_waited_for_ever_longer(site: Runtime, server: FhirServer) -> None:
    many(site, 1)
    server.failures = [Response("", 503), Response("", 429, {"Retry-After": "30"}), Response("", 504)]
    patience = Patience()
    send(site, server, sleep=patience)
    first, second, third = patience.waited
    assert 0.5 <= first <= 1
    assert second == 30
    assert 2 <= third <= 4
    server.failures = [Response("busy", 503)] * 9
    with pytest.raises(PushError, match="HTTP 503: busy"):
        send(site, server, since=0)
    assert len(server.failures) == 3


def test_nobody_there(site: Runtime, server: FhirServer) -> None:
    many(site, 1)
    server.close()
    patience = Patience()
    with pytest.raises(PushError, match="ConnectError"):
        send(site, server, sleep=patience)
    assert len(patience.waited) == 5


def test_what_the_server_refuses_is_said_in_its_words(site: Runtime, server: FhirServer) -> None:
    many(site, 1)
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "error", "code": "invalid", "diagnostics": "Unknown code", "expression": ["Bundle.entry[3]"]},
            {"severity": "error", "code": "business-rule", "details": {"text": "No such facility"}},
        ],
    }
    server.failures = [Response(json.dumps(outcome), 422)]
    with pytest.raises(PushError, match=re.escape("HTTP 422: Unknown code (Bundle.entry[3]); No such facility")):
        send(site, server)
    assert server.requests == 1, "waiting cannot help"
    for strange in ("[]", '{"issue": 3}', '{"resourceType": "OperationOutcome"}', "<html>no</html>", ""):
        server.failures = [Response(strange, 400)]
        with pytest.raises(PushError, match="HTTP 400: "):
            send(site, server)


@pytest.mark.parametrize(
    "answer",
    [
        '{"resourceType": "Bundle", "type": "transaction-response"}',
        '{"resourceType": "Bundle", "entry": [{"response": {"status": "201"}}]}',
        '{"resourceType": "Bundle", "entry": 7}',
    ],
)
def test_an_answer_that_does_not_say_so_is_no_success(site: Runtime, server: FhirServer, answer: str) -> None:
    many(site, 1)
    server.failures = [Response(answer, 200)]
    with pytest.raises(PushError, match="without saying that it took everything"):
        send(site, server)
    assert send(site, server).screenings == 1


def test_withdrawn_screenings_are_deleted_there(site: Runtime, server: FhirServer) -> None:
    first, second = many(site, 2)
    send(site, server)
    with site.db.write() as tx:
        withdraw_consent(tx, code=code_of(site, first), msisdn=WORKER, by="worker", channel="ussd")
    assert send(site, server).bundles >= 1
    for kind, number in (("DiagnosticReport", 1), ("ServiceRequest", 1), ("Consent", 1), ("Observation", 2)):
        assert len(server.all(kind)) == number, kind
    left = json.dumps(server.all("DiagnosticReport"))
    assert f"-{second}" in left
    assert f'-{first}"' not in left
    send(site, server, since=0)  # it is gone already
    assert len(server.all("Patient")) == 1


def test_a_complete_push_looks_back_a_little(site: Runtime, server: FhirServer) -> None:
    numbers = many(site, 2)
    with site.db.write() as tx:
        old = screening.update().where(screening.c.id == numbers[0])
        tx.execute(old.values(decided_at=now_ms() - 3_600_000))
        tx.execute(sa.text("UPDATE reading SET read_at = 1"))
        tx.execute(sa.text("UPDATE consent SET given_at = 1"))
    assert send(site, server).screenings == 2
    assert send(site, server).screenings == 1
    assert Progress(site.settings.data_dir / "fhir-push.json", "http://other/").begin().at == 0
    (site.settings.data_dir / "fhir-push.json").write_text("torn")
    assert send(site, server).screenings == 2


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://fhir.example.org/r4", "https only"),
        ("ftp://fhir.example.org", "no address of a FHIR server"),
        ("fhir.example.org", "no address of a FHIR server"),
    ],
)
def test_results_go_nowhere_in_the_open(site: Runtime, url: str, reason: str) -> None:
    progress = Progress(site.settings.data_dir / "fhir-push.json", url)
    with pytest.raises(PushError, match=reason):
        push(Site(site), url, NAMES, progress)


def test_the_token_goes_along_and_bytes_of_this_network_are_free(site: Runtime, server: FhirServer) -> None:
    told: list[Any] = []

    class Meter:
        def record(self, purpose: str, carrier: str, exchange: Exchange) -> None:
            told.append((purpose, carrier, exchange))

    many(site, 1)
    send(site, server, token="secret-token", meter=Meter())
    assert server.headers[0]["Authorization"] == "Bearer secret-token"
    assert server.headers[0]["Content-Type"] == "application/fhir+json"
    assert told == []


def test_no_number_or_code_reached_the_server(site: Runtime, server: FhirServer) -> None:
    numbers = many(site, 2)
    send(site, server)
    text = json.dumps(server.bundles)
    for secret in (PATIENT[1:], WORKER[1:], "Achieng", *(f'"{code_of(site, number)}"' for number in numbers)):
        assert secret not in text


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "fhir", *arguments],
        env={
            **os.environ,
            "JICHO_DATA_DIR": str(directory / "data"),
            "JICHO_HUB_DIR": str(directory / "hub"),
            **environment,
        },
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_of_the_hub(hub: Hub, server: FhirServer, tmp_path: Path) -> None:
    """The site's commands are the same but for the store they read."""
    result_at(hub, site_at(hub), model_at(hub), ("left", "referable"), ("right", "normal"), ref=3)
    done = run(tmp_path, "push", server.url, "--hub", JICHO_FHIR_NAMESPACE="urn:siaya")
    assert (done.stdout, done.stderr) == ("1 screenings in 1 bundles.\n", "")
    assert server.all("DiagnosticReport")[0]["identifier"] == [{"system": "urn:siaya:report", "value": "1-3"}]
    done = run(tmp_path, "export", "--hub", "out.json", "--since", "2026-01-01")
    bundle = json.loads((tmp_path / "out.json").read_text())
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == [
        "Organization",
        "Patient",
        "Device",
        "Observation",
        "Observation",
        "DiagnosticReport",
        "ServiceRequest",
    ]


def test_the_commands_of_a_site(tmp_path: Path, server: FhirServer) -> None:
    assert run(tmp_path, "push", server.url).stdout == "0 screenings in 0 bundles.\n"
    done = run(tmp_path, "push", "http://fhir.example.org/r4")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: http://fhir.example.org/r4: results of patients go over https only")


class Breaking:
    """A source whose process dies after some pages."""

    def __init__(self, source: Site, *, after: int) -> None:
        self._source, self._left = source, after

    def changes(self, cursor: Any, limit: int) -> Any:
        if self._left == 0:
            raise ConnectionError
        self._left -= 1
        return self._source.changes(cursor, limit)
