"""Requests to the hub: signed, counted, and with one kind of error."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.bench.hub import HubStack
from services.bench.proxy import Proxy
from services.bench.stack import free_port
from services.runtime import Runtime
from services.sync.client import HubClient, HubError, hub_client
from services.sync.identity import Identity


@pytest.fixture
def proxy(served: HubStack) -> Iterator[Proxy]:
    with Proxy([("127.0.0.1", served.port)]) as found:
        yield found


def test_every_byte_is_counted_for_its_purpose(enrolled: Identity, proxy: Proxy) -> None:
    counted: list[tuple[str, int]] = []
    through = replace(enrolled, url=f"https://127.0.0.1:{proxy.port}")
    with HubClient(through, count=lambda purpose, sent, received: counted.append((purpose, sent + received))) as client:
        for purpose in ("results", "models"):
            assert client.get("/healthz", purpose=purpose).body == b'{"status":"ok"}\n'
        client.close()
        client.get("/healthz", purpose="models")
        assert client.sent + client.received == sum(size for _, size in counted)
        seen = proxy.take()
    assert [purpose for purpose, _ in counted] == ["results", "models", "models"]
    assert counted[0][1] > 1000, "the first one pays for the handshake"
    assert counted[1][1] < 600
    # What comes after the last answer, such as the second session ticket, is counted with the next one.
    assert 0 <= seen - sum(size for _, size in counted) < 600


def test_a_connection_that_was_given_up_is_made_anew(enrolled: Identity, served: HubStack, proxy: Proxy) -> None:
    with HubClient(replace(enrolled, url=f"https://127.0.0.1:{proxy.port}")) as client:
        client.get("/healthz", purpose="results")
        served.kill()
        served.start()
        assert client.get("/healthz", purpose="results").status == 200


def test_what_the_hub_refuses_is_said(site: Runtime, enrolled: Identity) -> None:
    assert enrolled
    with hub_client(site) as client:
        with pytest.raises(HubError, match="Not Found") as caught:
            client.get("/nothing", purpose="results")
        assert (caught.value.status, caught.value.permanent) == (404, True)
        with pytest.raises(HubError, match="an empty body"):
            client.post("/sync/batches", b"", purpose="results")
        with pytest.raises(HubError, match="Method Not Allowed"):
            client.patch("/sync/batches", b"x", purpose="results")
        assert client.get("/healthz", purpose="results").headers["content-type"] == "application/json"


def test_a_stream_that_is_left_leaves_the_client_usable(site: Runtime, enrolled: Identity) -> None:
    assert enrolled
    with hub_client(site) as client:
        for block in client.stream("/healthz", purpose="models"):
            assert block
            break
        assert b"".join(client.stream("/healthz", purpose="models")) == b'{"status":"ok"}\n'
        with pytest.raises(HubError):
            list(client.stream("/nothing", purpose="models"))


def test_nobody_there(enrolled: Identity) -> None:
    nowhere = replace(enrolled, url=f"https://127.0.0.1:{free_port()}")
    with HubClient(nowhere) as client, pytest.raises(HubError) as caught:
        client.get("/healthz", purpose="results")
    assert (caught.value.status, caught.value.permanent) == (0, False)


def test_somebody_who_never_answers(enrolled: Identity) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel takes the connection, nobody reads from it
        silent = replace(enrolled, url=f"https://127.0.0.1:{listener.getsockname()[1]}")
        with HubClient(silent, timeout_s=0.3) as client, pytest.raises(HubError, match="TimeoutError") as caught:
            client.get("/healthz", purpose="results")
    assert caught.value.status == 0
