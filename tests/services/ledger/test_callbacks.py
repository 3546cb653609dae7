"""What is counted around the gateway is what its server reads and writes, and each door knows its purpose."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import waitress.server
from wire import Relay

from services.gateway.application import create_gateway
from services.ledger.callbacks import counted
from services.ledger.wire import Exchange
from services.runtime import Runtime

Entries = Callable[[], dict[tuple[str, str], dict[str, Any]]]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Host": "jicho.example.org", "apiKey": "x"}


@pytest.fixture
def relay(site: Runtime) -> Iterator[Relay]:
    assert site.settings.carrier == "simulator"
    server = waitress.server.create_server(create_gateway(), host="127.0.0.1", port=0, threads=2, ident=None)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Relay(server.effective_port)
    server.close()
    server.task_dispatcher.shutdown()


def test_a_ussd_session_is_counted_to_the_byte(site: Runtime, relay: Relay, entries: Entries) -> None:
    token = site.settings.at_token.get_secret_value()
    connection = http.client.HTTPConnection("127.0.0.1", relay.port)
    for text in ("", "1", "1*2"):
        turn = {"sessionId": "ATUid_1", "serviceCode": "*384*77#", "phoneNumber": "+254722000002", "text": text}
        connection.request("POST", f"/at/{token}/ussd", urlencode(turn), FORM)
        assert connection.getresponse().read().startswith(b"CON")
    connection.close()
    relay.close()
    site.tally.flush()
    up, down = entries()["ussd", "up"], entries()["ussd", "down"]
    assert (up["requests"], down["number"]) == (3, 1)
    assert down["bytes"] == pytest.approx(relay.up, abs=9)
    assert up["bytes"] == pytest.approx(relay.down, abs=9)


@pytest.mark.parametrize(
    ("path", "address", "host", "purpose"),
    [
        ("/at/token/ussd", "127.0.0.1", "", ("ussd", "africastalking")),
        ("/at/token/ussd-end", "41.90.0.1", "", ("ussd", "africastalking")),
        ("/at/token/sms", "41.90.0.1", "", ("sms", "africastalking")),
        ("/at/token/delivery", "41.90.0.1", "", ("sms", "africastalking")),
        ("/at/token/optout", "41.90.0.1", "", ("sms", "africastalking")),
        ("/at/token/voice", "41.90.0.1", "", ("call", "africastalking")),
        ("/audio/a-b.wav", "41.90.0.1", "", ("call", "africastalking")),
        ("/whatsapp", "31.13.64.1", "", ("whatsapp", "whatsapp")),
        ("/mm7/token", "41.90.0.1", "", ("mms", "mm7")),
        ("/twilio/mms", "41.90.0.1", "", ("mms", "twilio")),
        ("/", "8.8.8.8", "", ("web", "web")),
        ("/wp-login.php", "8.8.8.8", "", ("web", "web")),
        ("/console/messages", "127.0.0.1", "jicho.example.org", ("web", "web")),
        ("/console/messages", "192.168.1.4", "10.0.0.2:8080", None),
        ("/healthz", "127.0.0.1", "localhost:8080", None),
        ("/healthz", "", "localhost", None),
        ("/at/x", "127.0.0.1", "", None),
    ],
)
def test_doors_and_purposes(path: str, address: str, host: str, purpose: tuple[str, str] | None) -> None:
    told: list[tuple[str, str]] = []

    class Meter:
        def record(self, purpose: str, carrier: str, exchange: Exchange) -> None:
            assert exchange.sent > 40
            assert exchange.received > 20
            told.append((purpose, carrier))

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"OK"]

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "REMOTE_ADDR": address, "HTTP_HOST": host}
    answer = counted(application, Meter(), "https://jicho.example.org")(environ, lambda *_: lambda _: None)  # type: ignore
    assert list(answer) == [b"OK"]
    assert told == ([purpose] if purpose else [])
