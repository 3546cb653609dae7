"""A hub as it is run: a process of its own, gunicorn with TLS, on SQLite or PostgreSQL; a link that breaks."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from services.bench.stack import NotInTime, free_port
from services.hub.certificate import certificate_of
from services.hub.enrolment import issue
from services.hub.runtime import Hub
from services.settings import load
from services.store.keyring import keys_of_another_hub
from services.sync.identity import Identity, enrol

_APP = Path(__file__).parents[2] / "app.py"
_START_S = 60.0


class ServedHub:
    """Use it as a context manager. `hub` is its store, opened here with its keys; `sites` enrol at its real door."""

    def __init__(self, directory: Path, *, database_url: str = "", processes: int = 1) -> None:
        self.port = free_port()
        self.directory = directory
        given = {
            "JICHO_DATA_DIR": str(directory / "data"),
            "JICHO_HUB_DIR": str(directory / "hub"),
            "JICHO_HUB_PORT": str(self.port),
            "JICHO_HUB_DATABASE_URL": database_url,
            "JICHO_HUB_PROCESSES": str(processes),
            "JICHO_LOG_LEVEL": "WARNING",
        }
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("JICHO_")} | given
        self.hub = Hub(load(given, dotenv=directory / "none"))
        self._keys = keys_of_another_hub(self.hub.settings.hub_keyring_path)

    def __enter__(self) -> ServedHub:
        self._process = subprocess.Popen([sys.executable, str(_APP), "hub", "run"], env=self.environment)
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._process.kill()
                raise NotInTime("the hub did not start")
            time.sleep(0.1)
        self._keys.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._keys.__exit__(kind, error, trace)
        self.hub.db.close()
        self._process.terminate()
        self._process.wait(30)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def site(self, name: str, directory: Path) -> Identity:
        """Enrols a site, whose data directory this is."""
        with self.hub.db.write() as tx:
            code = issue(tx, name, self.url, certificate_of(self.hub.settings).pin)
        return enrol(directory, code)

    def _answers(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), 2) as plain,
                context.wrap_socket(plain) as wrapped,
            ):
                wrapped.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return b" 200 " in wrapped.recv(100)
        except OSError:
            return False


class BreakingLink:
    """A TCP relay that cuts connections: after so many bytes towards the hub (`cut_up`) or from it (`cut_down`) the
    next time either is set. A cut is a reset, as when a mobile link goes."""

    def __init__(self, port: int) -> None:
        self._hub = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_up = self.cut_down = 0
        self.cuts = 0
        self.stalled = False
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def through(self, identity: Identity) -> Identity:
        """The same site, over this link."""
        return replace(identity, url=f"https://127.0.0.1:{self.port}")

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._hub)
            for source, target, way in ((near, far, "cut_up"), (far, near, "cut_down")):
                threading.Thread(target=self._pump, args=(source, target, way), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, way: str) -> None:
        try:
            while data := source.recv(2048):
                with self._lock:
                    left = getattr(self, way)
                    cut = 0 < left <= len(data)
                    if left:
                        setattr(self, way, 0 if cut else left - len(data))
                    self.cuts += cut
                target.sendall(data[:left] if cut else data)
                if cut:
                    break
        except OSError:
            pass
        for each in (target, source):
            _reset(each)


def _reset(connection: socket.socket) -> None:
    try:
        # The far end still reads what came before a FIN; the near one learns of a break at once.
        connection.shutdown(socket.SHUT_WR)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
    except OSError:
        pass
    connection.close()
