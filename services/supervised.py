"""What a launcher tells systemd: that it is ready, that it is alive, that it stops. Without systemd it tells nobody."""

from __future__ import annotations

import os
import socket
import time

_ANSWER_S = 3.0


class Supervisor:
    """The service manager that started this process, by its socket (sd_notify(3)). It is told that the service is alive
    only while the gateway answers: one that hangs is started again."""

    def __init__(self, host: str, port: int) -> None:
        self._gateway = (host, port)
        self._address = os.environ.pop("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        limit_us = int(os.environ.pop("WATCHDOG_USEC", "0") or 0)
        self._every_s = limit_us / 1e6 / 4 if self._address else 0
        self._due = 0.0

    def ready(self) -> None:
        """Callers are answered."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Cheap: says it a few times within the time that the manager allows."""
        now = time.monotonic()
        if self._every_s and now >= self._due:
            self._due = now + self._every_s
            if answers(*self._gateway):
                self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """It was told to end, and takes its time."""
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.sendto(words.encode(), self._address)
        except OSError:  # the manager is gone, the service need not be
            return


def answers(host: str, port: int) -> bool:
    """Whether /healthz is answered there."""
    try:
        with socket.create_connection((host, port), _ANSWER_S) as one:
            one.settimeout(_ANSWER_S)
            one.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in one.recv(64)
    except OSError:
        return False
