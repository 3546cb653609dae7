"""What is counted at the clients is what went through the socket, to a few bytes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator

import httpx
import pytest
import requests
import waitress.server
from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse
from wire import Relay

from services.channels.base import ChannelError, Kind, Media, Outbound
from services.channels.download import metered
from services.channels.registry import Channels
from services.ledger.clients import of_httpx, of_requests
from services.ledger.wire import Exchange
from services.runtime import Runtime

A_FEW = 3


@pytest.fixture
def relay() -> Iterator[Relay]:
    application = Flask("far end")

    @application.route("/<path:path>", methods=["GET", "POST"])
    def answer(path: str) -> BaseResponse:
        request.get_data()
        if path == "moved":
            return redirect("/here?x=1")
        if path == "packed":
            return Response(gzip.compress(b"abc" * 5000), headers={"Content-Encoding": "gzip"})
        if path.endswith("/messaging"):
            entry = {"statusCode": 101, "status": "Success", "messageId": "ATXid_1", "cost": "KES 0.8000"}
            return application.json.response(SMSMessageData={"Recipients": [entry]})
        if path.endswith("call"):
            return application.json.response(entries=[{"status": "Queued", "sessionId": "1"}], errorMessage="None")
        if path.endswith("/messages"):
            return application.json.response(messages=[{"id": "wamid.1"}])
        if path.endswith("/media-1"):
            return application.json.response(url=f"{request.host_url}picture")
        return Response(b"x" * 70_000, status=200 if path != "absent" else 404)

    server = waitress.server.create_server(application, host="127.0.0.1", port=0, threads=2)
    threading.Thread(target=server.run, daemon=True).start()
    yield Relay(server.effective_port)
    server.close()
    server.task_dispatcher.shutdown()


@pytest.mark.parametrize("path", ["here", "here?q=a%20b", "packed", "absent", "messaging"])
@pytest.mark.parametrize("body", [b"", b"y" * 5_000])
def test_httpx(relay: Relay, path: str, body: bytes) -> None:
    counted = []
    with httpx.Client(headers={"Authorization": "Bearer token"}) as client:
        for _ in range(3):
            method = "POST" if body else "GET"
            with client.stream(method, f"http://127.0.0.1:{relay.port}/{path}", content=body or None) as answer:
                answer.read()
            counted.append(of_httpx(answer))
    relay.close()
    assert sum(each.sent for each in counted) == pytest.approx(relay.up, abs=3 * A_FEW)
    assert sum(each.received for each in counted) == pytest.approx(relay.down, abs=3 * A_FEW)
    assert len({each.connection for each in counted}) == relay.connections == 1


@pytest.mark.parametrize("path", ["here", "here?q=a%20b", "absent", "messaging"])
@pytest.mark.parametrize("body", [{}, {"message": "Habari ya leo", "to": "+254722000002"}])
def test_requests(relay: Relay, path: str, body: dict[str, str]) -> None:
    answer = requests.request("POST" if body else "GET", f"http://127.0.0.1:{relay.port}/{path}", data=body, timeout=9)
    counted = of_requests(answer)
    relay.close()
    assert counted.sent == pytest.approx(relay.up, abs=A_FEW)
    assert counted.received == pytest.approx(relay.down, abs=A_FEW)
    assert counted.connection == ""


class Meter:
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Exchange]] = []

    def record(self, purpose: str, carrier: str, exchange: Exchange) -> None:
        self.told.append((purpose, carrier, exchange))

    def sums(self) -> tuple[int, int]:
        return sum(each.sent for *_, each in self.told), sum(each.received for *_, each in self.told)


def test_redirects_and_what_is_too_long_are_paid_for(relay: Relay) -> None:
    meter = Meter()

    def fetch(limit: int) -> None:
        with (
            httpx.stream("GET", f"http://127.0.0.1:{relay.port}/moved", follow_redirects=True) as answer,
            metered(meter, "mms", "twilio", answer),
        ):
            for block in answer.iter_bytes():
                if len(block) > limit:
                    raise ChannelError("too long", permanent=True)

    fetch(100_000)
    with pytest.raises(ChannelError):
        fetch(10)
    relay.close()
    assert len(meter.told) == 4
    assert meter.sums()[0] == pytest.approx(relay.up, abs=4 * A_FEW)
    assert meter.sums()[1] == pytest.approx(relay.down, rel=0.5), "what was on the way is not known"


def test_every_carrier_is_counted(site: Runtime, relay: Relay) -> None:
    meter = Meter()
    base = f"http://127.0.0.1:{relay.port}"
    where = {"at_base_url": base, "whatsapp_base_url": f"{base}/v23.0", "simulator_port": relay.port}
    channels = Channels(site.settings.model_copy(update=where), meter)
    for kind in (Kind.SMS, Kind.VOICE, Kind.WHATSAPP):
        channels.for_kind(kind).send(Outbound(kind, "+254722000002", "Habari"))
    channels.named("whatsapp").fetch(Media("image/jpeg", locator="media-1"))
    channels.named("twilio").fetch(Media("image/jpeg", locator=f"{base}/picture"))
    assert [(purpose, carrier) for purpose, carrier, _ in meter.told] == [
        ("sms", "africastalking"),
        ("call", "africastalking"),
        ("whatsapp", "whatsapp"),
        ("whatsapp", "whatsapp"),
        ("whatsapp", "whatsapp"),
        ("mms", "twilio"),
    ]
    channels.named("whatsapp")._client.close()  # type: ignore[attr-defined]
    relay.close()
    assert meter.sums()[0] == pytest.approx(relay.up, abs=6 * A_FEW)
    assert meter.sums()[1] == pytest.approx(relay.down, abs=6 * A_FEW)
