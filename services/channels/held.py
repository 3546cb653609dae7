"""A carrier whose session a process of its own holds: a modem, an SMPP link. Messages reach it through a socket in the
data directory.

The process says "begun" before the first byte of a message leaves it. So whoever waits knows, also when that process is
killed in the middle: without "begun" the message did not go out and another carrier may have it; after it, only a
receipt or a delivery report tells.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.channels.base import ChannelError, Kind, Media, Outbound, Receipt

_LOG = logging.getLogger(__name__)
_CONNECT_S = 2.0
BEGIN_S, FINISH_S = 20.0, 80.0  # together below the two minutes after which a message counts as "unknown"
_SPARE_S = 5.0
_LONGEST = 65_536
_ERROR = ("reason", "permanent", "unknown", "retry_after_s")
_LONGEST_PATH = 100  # sun_path holds 108 bytes


class Gone(Exception):
    """Nobody waits for this message any more: it must not be begun."""


Begin = Callable[[], None]
Take = Callable[[Outbound, Begin], Receipt]
Orphan = Callable[[str, Receipt], None]


def socket_path(data_dir: Path, name: str) -> Path:
    """Where the process that holds carrier `name` listens."""
    path = (data_dir / "site" / f"{name}.sock").resolve()
    if len(str(path)) < _LONGEST_PATH:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path("/tmp") / f"jicho-{name}-{path.parent.stat().st_ino}.sock"


class HeldSms:
    """The channel as the delivery job sees it. `wait_s`: until a message is begun, and from then until it is taken."""

    kinds = frozenset({Kind.SMS})

    def __init__(self, name: str, path: Path, *, wait_s: tuple[float, float] = (BEGIN_S, FINISH_S)) -> None:
        self.name, self._path, self._wait_s = name, path, wait_s

    def send(self, message: Outbound) -> Receipt:
        """Hands one SMS over. Raises ChannelError; passing, and certainly not sent, unless it says otherwise."""
        request = {"to": message.to, "text": message.text, "reference": message.reference, "wait_s": self._wait_s[0]}
        begun = False
        with self._connect() as connection:
            try:
                connection.settimeout(self._wait_s[0] + _SPARE_S)
                connection.sendall(json.dumps(request).encode() + b"\n")
                for line in connection.makefile("rb"):
                    answer = json.loads(line)
                    if "begun" in answer:
                        begun = True
                        connection.settimeout(self._wait_s[1])
                        continue
                    if "receipt" in answer:
                        return Receipt(**answer["receipt"])
                    raise ChannelError(**answer["error"])
            except TimeoutError:
                # It could begin this very moment.
                raise ChannelError(f"{self.name}: no answer in time", unknown=True) from None
            except (OSError, ValueError):
                pass
        raise ChannelError(f"{self.name}: its process ended", unknown=begun)

    def fetch(self, media: Media) -> bytes:
        """SMS carries no attachments."""
        raise ChannelError(f"no attachment {media.locator!r} in SMS", permanent=True)

    def probe(self) -> None:
        """Whether its process is there and its session up. Raises ChannelError."""
        with self._connect() as connection:
            try:
                connection.settimeout(_CONNECT_S)
                connection.sendall(b'{"probe": true}\n')
                answer = json.loads(connection.makefile("rb").readline() or b"{}")
            except (OSError, ValueError):
                answer = {}
        fault = answer.get("fault", "its process does not answer")
        if fault:
            raise ChannelError(f"{self.name}: {fault}")

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_CONNECT_S)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise ChannelError(f"{self.name}: its process is not running") from None
        return connection


class Door:
    """The other end, in the process that holds the session: a thread for each message that waits.

    `take` hands a message over and calls its `begin` before the first byte; `fault` says what is wrong with the session
    (empty: nothing); `orphan` gets the receipt of a message whose asker was killed meanwhile.
    """

    def __init__(self, path: Path, take: Take, fault: Callable[[], str], orphan: Orphan) -> None:
        self._path, self._take, self._fault, self._orphan = path, take, fault, orphan
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._server = _Server(str(path), self)
        os.chmod(path, 0o600)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Lets nobody in any more."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def answer(self, connection: socket.socket) -> None:
        """One request to its end."""
        connection.settimeout(_CONNECT_S)
        request = json.loads(connection.makefile("rb").readline(_LONGEST))
        if "probe" in request:
            _say(connection, fault=self._fault())
            return
        message = Outbound(Kind.SMS, str(request["to"]), str(request["text"]), str(request["reference"]))
        deadline = time.monotonic() + float(request["wait_s"])

        def begin() -> None:
            if time.monotonic() > deadline or not _say(connection, begun=True):
                raise Gone

        try:
            receipt = self._take(message, begin)
        except Gone:
            _say(connection, error={"reason": "busy"})
        except ChannelError as error:
            _say(connection, error={name: getattr(error, name) for name in _ERROR})
        else:
            if not _say(connection, receipt=asdict(receipt)):
                self._orphan(message.reference, receipt)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, path: str, door: Door) -> None:
        self._door = door
        super().__init__(path, socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - a socket file has no address
        try:
            self._door.answer(request)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("request not understood", extra={"reason": type(error).__name__})


def _say(connection: socket.socket, **answer: Any) -> bool:
    """Whether whoever asked could still be told."""
    try:
        connection.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:
        return False
    return True
