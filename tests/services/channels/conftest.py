"""A stand-in carrier on a loopback socket, and a gateway that writes down what it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from services.channels.simulator import SimulatorConfig, create_simulator


@dataclass
class Callback:
    """One request that reached the gateway."""

    path: str
    form: dict[str, str]
    raw: bytes
    headers: dict[str, str]


@dataclass
class Gateway:
    """Answers as told, by path: a body, or `(body, status)`, or a function of the callback that gives either."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)

    def at(self, path: str) -> list[Callback]:
        return [callback for callback in self.callbacks if callback.path == path]

    def wait_for(self, path: str, number: int = 1) -> list[Callback]:
        deadline = time.monotonic() + 20
        while len(self.at(path)) < number:
            assert time.monotonic() < deadline, f"{path} was not called {number} times"
            time.sleep(0.01)
        return self.at(path)

    def application(self) -> Flask:
        application = Flask("gateway")

        @application.route("/<path:path>", methods=["GET", "POST"])
        def answer(path: str) -> Any:
            raw = request.get_data()
            callback = Callback(f"/{path}", dict(request.form), raw, dict(request.headers))
            self.callbacks.append(callback)
            found = self.answers.get(f"/{path}", Response("OK"))
            return found(callback) if callable(found) and not isinstance(found, Response) else found

        return application


@dataclass
class Carrier:
    """The stand-in, as the gateway and a hand on the phone see it."""

    config: SimulatorConfig
    http: httpx.Client

    def ask(self, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
        url = f"{self.config.own_url}/phone/api/{path}"
        answer = self.http.get(url) if body is None else self.http.post(url, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ledger(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("ledger")["entries"]
        return found


@pytest.fixture
def gateway(serve: Callable[[Callable[[str], Flask]], str]) -> Gateway:
    found = Gateway()
    found.url = serve(lambda _url: found.application())
    return found


@pytest.fixture
def carrier(serve: Callable[[Callable[[str], Flask]], str], gateway: Gateway) -> Iterator[Carrier]:
    made: list[SimulatorConfig] = []

    def start(url: str) -> Flask:
        made.append(
            SimulatorConfig(
                gateway_url=gateway.url,
                own_url=url,
                at_token="at-token-of-128-bits-",
                at_username="sandbox",
                at_api_key="at-key",
                sms_sender="JICHO",
                voice_number="+254711082000",
                ussd_code="*384*77#",
                whatsapp_phone_number_id="1066",
                whatsapp_app_secret="app-secret",
                whatsapp_access_token="access-token",
                mm7_token="mm7-token-of-128-bits",
                twilio_account_sid="ACstandin",
                twilio_auth_token="auth-token",
            )
        )
        return create_simulator(made[0])

    serve(start)
    with httpx.Client(timeout=30) as http:
        yield Carrier(made[0], http)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], Flask]], str]]:
    """Starts an application, made when its address is known, on a port of its own."""
    servers = []

    def start(make: Callable[[str], Flask]) -> str:
        placeholder = Flask("placeholder")
        server = make_server("127.0.0.1", 0, placeholder, threaded=True)
        url = f"http://127.0.0.1:{server.server_port}"
        server.app = make(url)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return url

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
