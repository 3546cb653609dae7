"""A proxy before one machine or several: it counts what goes through, and connects to those that are up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

_CONNECT_S = 0.5
_LOOK_EVERY_S = 0.5
Address = tuple[str, int]


class Proxy:
    """Passes TCP connections on and counts the bytes, both ways together. Of several machines behind it each gets the
    next connection in turn; those of a machine that does not answer are broken off, as a balancer does. It listens on a
    free port, or on the one that is given."""

    def __init__(self, behind: Sequence[Address], *, host: str = "127.0.0.1", listen: int = 0) -> None:
        self._behind, self._next = tuple(behind), 0
        self._down: set[Address] = set()
        self._open: dict[Address, set[socket.socket]] = {each: set() for each in behind}
        self._listener = socket.create_server((host, listen))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()
        if len(self._behind) > 1:
            threading.Thread(target=self._look, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def take(self) -> int:
        """Bytes since it was last asked. Ask when both ends are quiet."""
        time.sleep(0.1)  # what one end was sent after its answer, such as session tickets, is counted too
        with self._lock:
            found, self._bytes = self._bytes, 0
        return found

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(here,), daemon=True).start()

    def _meet(self, here: socket.socket) -> None:
        for _ in self._behind:
            with self._lock:
                self._next += 1
                address = self._behind[self._next % len(self._behind)]
            if address in self._down:
                continue
            try:
                there = socket.create_connection(address, timeout=_CONNECT_S)
            except OSError:
                continue
            there.settimeout(None)
            with self._lock:
                self._open[address] |= {here, there}
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=(source, sink, address), daemon=True).start()
            return
        here.close()

    def _look(self) -> None:
        while self._listener.fileno() >= 0:
            for address in self._behind:
                try:
                    socket.create_connection(address, timeout=_CONNECT_S).close()
                except OSError:
                    self._down.add(address)
                    with self._lock:
                        broken, self._open[address] = self._open[address], set()
                    for each in broken:
                        _end(each)
                else:
                    self._down.discard(address)
            time.sleep(_LOOK_EVERY_S)

    def _pass_on(self, source: socket.socket, sink: socket.socket, address: Address) -> None:
        try:
            while data := source.recv(65536):
                with self._lock:
                    self._bytes += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _end(source)
            _end(sink)
        finally:
            with self._lock:
                self._open[address].discard(source)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # unlike `close`, it wakes the thread that reads from it
