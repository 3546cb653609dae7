"""One kept TLS connection to the hub that counts its own bytes, handshake and headers included."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

from urllib3.util.ssltransport import SSLTransport

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL; the ssl module has no name for it


class _Counted:
    """A socket that knows how much went through it. TLS lies above it, so what it sees is what goes over the wire
    (without the 40 bytes or so that TCP and IP add to each packet)."""

    def __init__(self, wrapped: socket.socket) -> None:
        self._wrapped = wrapped
        self.sent = self.received = 0

    def sendall(self, data: bytes) -> None:
        self._wrapped.sendall(data)
        self.sent += len(data)

    def recv(self, size: int) -> bytes:
        data = self._wrapped.recv(size)
        self.received += len(data)
        return data

    @property
    def _io_refs(self) -> int:
        """How many files read from the socket, which closes with the last of them: an answer that ends the connection
        is still to be read when http.client closes it."""
        return int(self._wrapped._io_refs)  # type: ignore[attr-defined]

    @_io_refs.setter
    def _io_refs(self, number: int) -> None:
        self._wrapped._io_refs = number  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class Connection(http.client.HTTPConnection):
    """HTTP over TLS over a counted socket. `sent` and `received` are bytes since it was made."""

    default_port = 443

    def __init__(self, host: str, port: int | None, context: ssl.SSLContext, *, timeout_s: float) -> None:
        super().__init__(host, port or self.default_port, timeout=timeout_s)
        self._context = context
        self._socket: _Counted | None = None
        self._before = (0, 0)

    @property
    def sent(self) -> int:
        return self._before[0] + (self._socket.sent if self._socket else 0)

    @property
    def received(self) -> int:
        return self._before[1] + (self._socket.received if self._socket else 0)

    def connect(self) -> None:
        """Connects, shakes hands and checks the certificate. Raises OSError, of which ssl.SSLError is one."""
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._before = (self.sent, self.received)
            self._socket = _Counted(plain)
            self.sock: Any = SSLTransport(self._socket, self._context, server_hostname=self.host)  # type: ignore[arg-type]
        except BaseException:
            plain.close()
            raise

    def certificate(self) -> bytes:
        """The certificate of the other end, DER; after `connect`."""
        found: bytes = self.sock.getpeercert(binary_form=True)
        return found


def trusting(certificate_pem: str) -> ssl.SSLContext:
    """Trusts exactly this certificate, whatever name it bears and whatever this machine's clock says; with an empty
    one, those that the public authorities vouch for, which takes a clock that is about right."""
    if not certificate_pem:
        return ssl.create_default_context()
    context = ssl.create_default_context(cadata=certificate_pem)
    context.check_hostname = False
    context.verify_flags |= _NO_CHECK_TIME
    return context


def trusting_nobody_yet() -> ssl.SSLContext:
    """For the first contact, where the certificate is compared with what the enrolment code says of it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
