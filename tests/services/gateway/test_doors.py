"""Carriers' doors over real sockets: what opens them, what does not, how much fits through, and what a flood does."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from waitress.server import create_server

from app import _proxied, create_app
from services.gateway import counting
from services.gateway.limits import WRONG
from services.gateway.routes import ROUTES
from services.rights.retention import erase_old
from services.runtime import Runtime
from services.screening.people import add_worker
from services.store.clock import DAY_MS, now_ms
from services.store.tables import inbound

WORKER, OTHER = "+254711000001", "+254711000002"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
USSD = {"sessionId": "ATUid_1", "serviceCode": "*384*77#", "phoneNumber": WORKER, "networkCode": "63902", "text": ""}
SMS = {"date": "2026-11-24 09:00:00", "from": WORKER, "id": "sms-1", "text": "hello", "to": "38477"}
CARRIERS = [endpoint for endpoint, route in ROUTES.items() if route.who == "carrier"]


class Gateway:
    """The gateway behind a socket, served as `python app.py gateway` does; `site.settings` may be changed meanwhile."""

    def __init__(self, site: Runtime, proxy: str = "") -> None:
        self.site = site
        self._server: Any = create_server(
            create_app(),
            host="127.0.0.1",
            port=0,
            threads=4,
            max_request_body_size=33 * 1024 * 1024,
            clear_untrusted_proxy_headers=True,
            **(_proxied(proxy) if proxy else {}),
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # its socket is closed under it
            self._server.run()

    def ask(
        self, path: str, body: bytes | dict[str, str] = b"", headers: dict[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, str]:
        content = urllib.parse.urlencode(body).encode() if isinstance(body, dict) else body
        connection = http.client.HTTPConnection("127.0.0.1", self._server.effective_port, timeout=30)
        connection.request(method, path, content, headers or (FORM if isinstance(body, dict) else {}))
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, said

    def at(self, door: str, form: dict[str, str], **headers: str) -> int:
        token = self.site.settings.at_token.get_secret_value()
        return self.ask(f"/at/{token}/{door}", form, FORM | headers)[0]

    def whatsapp(self, *messages: dict[str, Any], secret: str = "", body: bytes = b"") -> int:
        value = {"messaging_product": "whatsapp", "metadata": {}, "contacts": [], "messages": list(messages)}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        raw = body or json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        key = secret or self.site.settings.whatsapp_app_secret.get_secret_value()
        signature = "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()
        return self.ask("/whatsapp", raw, JSON | {"X-Hub-Signature-256": signature})[0]

    def set(self, **values: Any) -> None:
        self.site.settings = self.site.settings.model_copy(update=values)

    def close(self) -> None:
        self._server.close()
        self._thread.join(5)


@pytest.fixture(autouse=True)
def _within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "monotonic", lambda: 630.0)


@pytest.fixture
def gateway(site: Runtime) -> Iterator[Gateway]:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    running = Gateway(site)
    yield running
    running.close()


def written(number: str, identity: str, *, sent_at: int | None = None) -> dict[str, Any]:
    """A WhatsApp message of `sent_at`, in seconds."""
    when = str(now_ms() // 1000 if sent_at is None else sent_at)
    return {"from": number[1:], "id": identity, "timestamp": when, "type": "text", "text": {"body": "hello"}}


def stored(site: Runtime) -> int:
    with site.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(inbound)).scalar_one())


@pytest.mark.parametrize(
    ("path", "method", "unset", "status"),
    [
        ("/at//ussd", "POST", "at_token", 404),
        ("/at/x/ussd", "POST", "at_token", 404),
        ("/at/x/voice", "POST", "at_token", 404),
        ("/whatsapp", "POST", "whatsapp_app_secret", 403),
        ("/whatsapp?hub.mode=subscribe&hub.verify_token=&hub.challenge=1", "GET", "whatsapp_verify_token", 403),
        ("/mm7/x", "POST", "mm7_token", 404),
        ("/twilio/mms", "POST", "twilio_auth_token", 404),
    ],
)
def test_without_its_secret_a_door_stays_shut(
    gateway: Gateway, path: str, method: str, unset: str, status: int
) -> None:
    gateway.set(**{unset: SecretStr("")})
    assert gateway.ask(path, USSD if method == "POST" else b"", method=method)[0] == status


@pytest.mark.parametrize(
    ("carrier", "networks", "status"),
    [
        ("at", ["196.0.2.0/24"], 404),
        ("at", ["196.0.2.0/24", "127.0.0.0/8"], 200),
        ("at", [], 200),
        ("whatsapp", ["31.13.24.0/21", "2a03:2880::/29"], 404),
        ("whatsapp", ["127.0.0.1/32"], 200),
    ],
)
def test_a_right_token_counts_only_from_where_the_carrier_is(
    gateway: Gateway, carrier: str, networks: list[str], status: int
) -> None:
    gateway.set(**{f"{carrier}_networks": tuple(ip_network(each) for each in networks)})
    found = gateway.at("ussd", USSD) if carrier == "at" else gateway.whatsapp(written(WORKER, "wamid.1"))
    assert found == status


def test_a_signature_is_of_the_bytes_as_they_came(gateway: Gateway) -> None:
    raw = b'{ "entry" : [ ],\r\n\t"object":"whatsapp_business_account", "note":"\\u00e9 \xc3\xa9"}'
    assert gateway.whatsapp(body=raw) == 200
    assert gateway.whatsapp(body=raw, secret="another secret of the same length") == 403
    secret = gateway.site.settings.whatsapp_app_secret.get_secret_value()
    signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    same = json.dumps(json.loads(raw)).encode()
    for body, signed in ((same, signature), (raw, signature[:-1]), (raw, signature.upper()), (raw, "")):
        assert gateway.ask("/whatsapp", body, JSON | {"X-Hub-Signature-256": signed})[0] == 403


def test_what_was_signed_once_is_taken_once(gateway: Gateway) -> None:
    message = written(WORKER, "wamid.1")
    assert [gateway.whatsapp(message) for _ in range(3)] == [200] * 3
    assert stored(gateway.site) == 1


@pytest.mark.parametrize("days_ago", [0, 7, 400, -30])
def test_a_wrong_clock_loses_nothing_and_a_replay_gains_nothing(gateway: Gateway, days_ago: int) -> None:
    message = written(WORKER, "wamid.1", sent_at=(now_ms() - days_ago * DAY_MS) // 1000)
    assert [gateway.whatsapp(message), gateway.whatsapp(message)] == [200, 200]
    assert stored(gateway.site) == 1
    with gateway.site.db.write() as tx:
        tx.execute(inbound.update().values(received_at=1))
    erase_old(gateway.site)
    assert gateway.whatsapp(message) == 200
    assert stored(gateway.site) == 1, "known also when its words are erased"


@pytest.mark.parametrize("endpoint", CARRIERS)
def test_each_door_takes_so_much_and_no_more(gateway: Gateway, endpoint: str) -> None:
    if endpoint == "whatsapp.verification":
        return  # a question without a body
    rule = next(rule.rule for rule in create_app().url_map.iter_rules() if rule.endpoint == endpoint)
    most = ROUTES[endpoint].body
    status, said = gateway.ask(rule.replace("<token>", "x"), b"a" * (most + 1), FORM)
    assert status == 413
    assert f"at most {most:,} bytes" in said
    assert gateway.ask(rule.replace("<token>", "x"), b"a" * min(most, 100_000), FORM)[0] in (403, 404)


def test_a_flood_from_one_number_is_refused_and_starves_nobody(gateway: Gateway) -> None:
    gateway.set(number_limit=5)
    tries = [gateway.at("ussd", USSD | {"sessionId": f"ATUid_{number}"}) for number in range(8)]
    assert tries == [200] * 5 + [429] * 3
    assert gateway.at("ussd", USSD | {"phoneNumber": OTHER}) == 200
    assert gateway.at("sms", SMS) == 200, "another channel"
    tries = [gateway.at("sms", SMS | {"id": f"more-{number}"}) for number in range(6)]
    assert tries == [200] * 4 + [429] * 2
    assert stored(gateway.site) == 5


def test_a_carriers_own_address_brings_everybodys(gateway: Gateway) -> None:
    gateway.set(number_limit=2, address_limit=1)
    tries = [gateway.at("ussd", USSD | {"phoneNumber": f"+2547110{number:05}"}) for number in range(40)]
    assert tries == [200] * 40


def test_in_a_batch_the_others_are_taken_and_the_rest_comes_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.set(number_limit=3)
    batch = [*(written(WORKER, f"wamid.{number}") for number in range(5)), written(OTHER, "wamid.other")]
    assert gateway.whatsapp(*batch) == 429
    assert stored(gateway.site) == 4
    assert gateway.whatsapp(*batch) == 429, "at once: still too often"
    monkeypatch.setattr(counting, "monotonic", lambda: 800.0)
    assert gateway.whatsapp(*batch) == 200, "Meta brings it again later"
    assert stored(gateway.site) == 6


def test_who_guesses_is_not_answered_any_more_and_who_knows_is(gateway: Gateway) -> None:
    tries = [gateway.ask(f"/at/guess-{number}/ussd", USSD)[0] for number in range(WRONG + 2)]
    assert tries == [404] * WRONG + [429] * 2
    assert gateway.ask("/mm7/guess", b"x")[0] == 429
    assert gateway.at("ussd", USSD) == 200


def test_the_proxys_word_counts_and_nobody_elses(site: Runtime) -> None:
    site.settings = site.settings.model_copy(update={"at_networks": (ip_network("196.0.2.0/24"),)})
    for proxy, forwarded, status in (
        ("127.0.0.1", "196.0.2.7", 200),
        ("127.0.0.1", "41.80.0.1", 404),
        ("127.0.0.1", "196.0.2.7, 41.80.0.1", 404),  # what a caller wrote in front counts for nothing
        ("10.9.9.9", "196.0.2.7", 404),
        ("", "196.0.2.7", 404),
    ):
        running = Gateway(site, proxy)
        found = running.at("ussd", USSD, **{"X-Forwarded-For": forwarded})
        running.close()
        assert found == status, (proxy, forwarded)


def test_people_that_ask_too_often_are_told_so(site: Runtime) -> None:
    site.settings = site.settings.model_copy(update={"address_limit": 5})
    running = Gateway(site, "127.0.0.1")
    asked = [running.ask("/healthz", headers={"X-Forwarded-For": "41.80.0.1"}, method="GET")[0] for _ in range(7)]
    assert asked == [200] * 5 + [429] * 2
    assert running.ask("/healthz", headers={"X-Forwarded-For": "41.80.0.2"}, method="GET")[0] == 200
    same_network = [f"2001:db8::{number}" for number in range(7)]
    asked = [running.ask("/healthz", headers={"X-Forwarded-For": each}, method="GET")[0] for each in same_network]
    assert asked == [200] * 5 + [429] * 2, "one host has a whole network of them"
    assert [running.ask("/healthz", method="GET")[0] for _ in range(7)] == [200] * 7, "this machine's own programs"
    running.close()
