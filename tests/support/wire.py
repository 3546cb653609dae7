"""A TCP relay that counts what goes through it: the truth that counted sizes are held against."""

from __future__ import annotations

import socket
import threading


class Relay:
    """Listens on a port of its own and passes everything on to 127.0.0.1:`port`."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.up = self.down = self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections. What a client has got was counted before it got it."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(self._to)
            for source, target, way in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._pump, args=(source, target, way), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, way: str) -> None:
        try:
            while block := source.recv(65536):
                setattr(self, way, getattr(self, way) + len(block))
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
