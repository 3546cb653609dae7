"""What systemd is told: ready, alive while the gateway answers, stopping; and nothing where there is no systemd."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from services.bench.stack import free_port
from services.supervised import Supervisor


def heard(manager: socket.socket) -> list[str]:
    found = []
    manager.settimeout(0.05)
    while True:
        try:
            found.append(manager.recv(100).decode())
        except TimeoutError:
            return found


def test_the_manager_hears_of_a_service_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        supervisor = Supervisor("127.0.0.1", port)
        assert "NOTIFY_SOCKET" not in os.environ, "children must not speak for the service"
        supervisor.ready()
        supervisor.alive()
        assert heard(manager) == ["READY=1"], "nobody answers yet"

        def gateway(_environ: object, start: object) -> list[bytes]:
            start("200 OK", [])  # type: ignore[operator]
            return [b"{}"]

        server = make_server("127.0.0.1", port, gateway, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        supervisor._due = 0
        supervisor.alive()
        supervisor.alive()
        server.shutdown()
        server.server_close()
        supervisor.stopping()
        assert heard(manager) == ["WATCHDOG=1", "STOPPING=1"]


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    supervisor = Supervisor("127.0.0.1", 9)
    supervisor.ready()
    supervisor.alive()
    supervisor.stopping()
