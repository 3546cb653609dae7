"""A hub's update routes on a real TLS socket, which can be told to misbehave; and releases to publish there."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import onnx

from services.hub.certificate import certificate_of
from services.settings import Settings
from services.sync.client import HubClient
from services.sync.identity import Identity
from services.updates.keys import KeyFolder
from services.updates.publish import publish, read_model
from services.updates.repository import Repository
from services.updates.trust import keep_root

Look = Callable[..., dict[str, Any]]
"""One look of a site; what it noted."""
SHIPPED = Path(__file__).resolve().parents[2] / "models"


@dataclass
class Faults:
    """What goes wrong from now on. `cut` breaks a target's connection after so many bytes of each answer; `trickle`
    sends one byte at a time; `endless` goes on after the end of what begins so; `deaf` ignores Range; `spoil` changes
    what is served under a path; what is `gone` is not found."""

    cut: int = 0
    trickle: bool = False
    endless: str = ""
    deaf: bool = False
    spoil: Callable[[str, bytes], bytes] = field(default=lambda _path, content: content)
    gone: tuple[str, ...] = ()


class UpdateHub:
    """A signed repository in a folder, served. `asked` is what was asked for: path and Range."""

    def __init__(self, folder: Path, *, people: int = 1, targets_threshold: int = 1, root_threshold: int = 1) -> None:
        self.keys = [KeyFolder(folder / f"keys-{number}", f"word {number}") for number in range(people)]
        self.repository = Repository(folder / "hub" / "updates")
        self.root = self.repository.begin(self.keys, root_threshold, targets_threshold)
        self.faults = Faults()
        self.asked: list[tuple[str, str]] = []
        self.sent = 0
        settings = Settings.model_validate({"hub_dir": folder / "hub"})
        self._certificate = certificate_of(settings)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate.certificate, self._certificate.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> UpdateHub:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def identity(self) -> Identity:
        """A site of this hub."""
        url = f"https://127.0.0.1:{self._server.server_address[1]}"
        return Identity(1, "Siaya", url, self._certificate.certificate.read_text(), b"k" * 32, b"s" * 32)

    def client(self) -> HubClient:
        """The site's own client."""
        return HubClient(self.identity(), timeout_s=5)

    def trusted_by(self, data_dir: Path) -> None:
        """What enrolment does for updates."""
        keep_root(data_dir, self.root)

    def publish(self, folder: Path) -> dict[str, Any]:
        """Signs what lies in a programme's folder."""
        with read_model(folder) as source:
            return publish(self.repository, source, self.keys, SHIPPED)

    def targets_asked(self) -> list[tuple[str, str]]:
        """The files asked for, without the hash in front, each with its Range."""
        found = [(path.removeprefix("/updates/targets/"), span) for path, span in self.asked if "/targets/" in path]
        return [("/".join([*path.split("/")[:-1], path.split("/")[-1][65:]]), span) for path, span in found]


def risk_release(
    folder: Path, version: str, *, ballast: int = 0, change: Callable[[dict[str, Any]], None] | None = None
) -> Path:
    """The symptom model (75 kB, loads in no time) as a release of another version. With so many bytes of `ballast`,
    which do not pack, its graph is another file and as much longer."""
    release = folder / version / "risk"
    shutil.copytree(SHIPPED / "risk", release)
    if ballast:
        carry(release / "risk.onnx", random.Random(version).randbytes(ballast))

    def changed(manifest: dict[str, Any]) -> None:
        content = (release / "risk.onnx").read_bytes()
        manifest["tiers"]["full"] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        if change:
            change(manifest)

    edit(release, {"version": version}, changed)
    return release


def carry(graph: Path, ballast: bytes) -> None:
    """Puts bytes into a graph that nothing reads."""
    model = onnx.load(graph)
    entry = model.metadata_props.add()
    entry.key, entry.value = "ballast", base64.b85encode(ballast).decode()
    onnx.save(model, graph)


def edit(folder: Path, values: Mapping[str, Any], change: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Changes a release's manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | dict(values)
    if change:
        change(manifest)
    path.write_text(json.dumps(manifest, indent=1))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is what these tests are about."""


def _handler(hub: UpdateHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            hub.asked.append((self.path, span))
            file = hub.repository.folder / self.path.removeprefix("/updates/")
            if not file.is_file() or self.path in hub.faults.gone:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content, status = hub.faults.spoil(self.path, file.read_bytes()), 200
            if span and not hub.faults.deaf:
                content, status = content[int(span.removeprefix("bytes=").rstrip("-")) :], 206
            self.send_response(status)
            if hub.faults.endless and self.path.startswith(hub.faults.endless):
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content)
                while True:
                    self._send(b"\0" * 65536)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if hub.faults.cut and "/targets/" in self.path:
                self._send(content[: hub.faults.cut])
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            for part in [content] if not hub.faults.trickle else (content[at : at + 1] for at in range(len(content))):
                self._send(part)

        def _send(self, content: bytes) -> None:
            self.wfile.write(content)
            hub.sent += len(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
