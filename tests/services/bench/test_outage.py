"""The outage measurement on a handful of screenings, and the poor link that it rests on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from services.bench.link import ProxyLink
from services.bench.outage import outage


def test_nothing_is_lost_doubled_or_sent_twice() -> None:
    found = outage(8)
    assert found["screenings"] == 8
    assert found["lost"] == found["doubled"] == found["resent_photo_bytes"] == 0
    assert found["results_behind"] >= 2  # the last ones were made without a link
    assert found["photo_bytes_received"] >= found["photo_bytes"]


@pytest.fixture
def echo() -> Iterator[ProxyLink]:
    """A link to a server that sends back what comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=send_back, args=(connection,), daemon=True).start()

        def send_back(connection: socket.socket) -> None:
            with connection:
                while block := connection.recv(4096):
                    connection.sendall(block)

        threading.Thread(target=serve, daemon=True).start()
        link = ProxyLink(1, server.getsockname()[1])
        yield link
        link.close()
        server.shutdown(socket.SHUT_RDWR)


def test_a_link_carries_every_byte_in_order(echo: ProxyLink) -> None:
    sent = bytes(range(256)) * 24
    with socket.create_connection((echo.host, echo.port), timeout=30) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        came = b"".join(iter(lambda: line.recv(4096), b""))
    assert came == sent


def came(line: socket.socket) -> bytes:
    """What came, or nothing when the line is gone or silent."""
    try:
        return line.recv(16)
    except OSError:
        return b""


def test_nothing_passes_while_it_is_cut_and_old_streams_are_gone(echo: ProxyLink) -> None:
    with socket.create_connection((echo.host, echo.port), timeout=30) as line:
        line.sendall(b"before")
        assert line.recv(16) == b"before"
        echo.cut()
        line.settimeout(1.5)
        line.sendall(b"during")
        assert not came(line)
    echo.raise_up()
    with socket.create_connection((echo.host, echo.port), timeout=30) as line:
        line.sendall(b"after")
        assert line.recv(16) == b"after"
