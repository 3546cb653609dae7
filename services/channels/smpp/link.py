"""One connection with an SMPP carrier. smpplib writes and reads the PDUs; what arrives is framed here, with limits."""

from __future__ import annotations

import logging
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.smpp

_LOG = logging.getLogger(__name__)
_CONNECT_S, _WRITE_S = 10.0, 10.0
_HEADER, _LONGEST = 16, 70_000  # a PDU's message_payload has at most 65,535 octets
_TON_INTERNATIONAL, _TON_NATIONAL, _TON_SHORT, _TON_NAME, _NPI_ISDN = 1, 2, 3, 5, 1

logging.getLogger("smpp").setLevel(logging.ERROR)  # it would log messages and numbers
logging.getLogger("smpplib").setLevel(logging.ERROR)


class LinkLost(Exception):
    """The connection is of no more use. The text says why."""


@dataclass(frozen=True)
class Pdu:
    """What arrived. `fields` is None where it cannot be read."""

    command: str
    status: int
    sequence: int
    fields: dict[str, Any] | None


class _Client(smpplib.client.Client):  # type: ignore[misc]
    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), _CONNECT_S)
        context = self._ssl_context
        self._socket = context.wrap_socket(plain, server_hostname=self.host) if context else plain
        self._socket.settimeout(_WRITE_S)
        self.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN


class Link:
    """Bound as transceiver once it is made. Raises LinkLost."""

    def __init__(
        self, host: str, port: int, *, tls: bool, system_id: str, password: str, system_type: str, ca: str | None = None
    ) -> None:
        context = ssl.create_default_context(cafile=ca) if tls else None
        self._client = _Client(host, port, timeout=_WRITE_S, ssl_context=context, allow_unknown_opt_params=True)
        self._buffer = b""
        try:
            self._client.connect()
            self._client.bind_transceiver(system_id=system_id, password=password, system_type=system_type)
        except smpplib.exceptions.PDUError as error:
            self.close()
            status = error.args[1] if len(error.args) > 1 else 0
            raise LinkLost(f"bind refused, command_status 0x{status:08x}") from None
        except (OSError, smpplib.exceptions.ConnectionError, *_UNREADABLE) as error:
            self.close()
            raise LinkLost(f"no link ({type(error).__name__})") from None

    def close(self) -> None:
        """Never raises."""
        if self._client._socket is not None:
            self._client._socket.close()
            self._client._socket = None

    def fileno(self) -> int:
        """For select()."""
        return int(self._client._socket.fileno())

    def say(self, command: str, *, sequence: int | None = None, status: int = 0, **fields: Any) -> int:
        """Sends one PDU; its sequence number. Raises LinkLost: nobody knows whether it arrived."""
        pdu = smpplib.smpp.make_pdu(command, client=self._client, status=status, **fields)
        if sequence is not None:
            pdu.sequence = sequence
        try:
            self._client._socket.sendall(pdu.generate())
        except OSError as error:
            raise LinkLost(f"not written ({type(error).__name__})") from None
        return int(pdu.sequence)

    def receive(self) -> list[Pdu]:
        """The PDUs that have arrived whole. Raises LinkLost."""
        connection = self._client._socket
        try:
            data = connection.recv(65_536)
            while isinstance(connection, ssl.SSLSocket) and connection.pending():
                data += connection.recv(65_536)
        except (ssl.SSLWantReadError, TimeoutError):
            return []
        except OSError as error:
            raise LinkLost(f"not read ({type(error).__name__})") from None
        if not data:
            raise LinkLost("closed by the carrier")
        self._buffer += data
        found, self._buffer = frames(self._buffer)
        return [self._read(frame) for frame in found]

    def _read(self, frame: bytes) -> Pdu:
        _, _, status, sequence = struct.unpack(">LLLL", frame[:_HEADER])
        try:
            pdu = smpplib.smpp.parse_pdu(frame, client=self._client, allow_unknown_opt_params=True)
            return Pdu(pdu.command, status, sequence, vars(pdu))
        except _UNREADABLE as error:
            _LOG.warning("PDU not understood", extra={"reason": type(error).__name__})
        try:
            return Pdu(
                smpplib.command_codes.get_command_name(struct.unpack(">L", frame[4:8])[0]), status, sequence, None
            )
        except smpplib.exceptions.UnknownCommandError:
            return Pdu("unknown", status, sequence, None)


_UNREADABLE = (
    smpplib.exceptions.UnknownCommandError,
    smpplib.exceptions.PDUError,
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
)


def frames(buffer: bytes) -> tuple[list[bytes], bytes]:
    """The whole PDUs at the beginning of `buffer`, and the rest. Raises LinkLost for what is no SMPP."""
    found = []
    while len(buffer) >= 4:
        length = int.from_bytes(buffer[:4])
        if not _HEADER <= length <= _LONGEST:
            raise LinkLost("what came is no SMPP")
        if len(buffer) < length:
            break
        found.append(buffer[:length])
        buffer = buffer[length:]
    return found, buffer


def address(of: str) -> tuple[int, int, str]:
    """TON, NPI and the address as SMPP wants them."""
    if of.startswith("+"):
        return _TON_INTERNATIONAL, _NPI_ISDN, of[1:]
    if of.isdigit():
        return (_TON_SHORT, _NPI_ISDN, of) if len(of) <= 8 else (_TON_INTERNATIONAL, _NPI_ISDN, of)
    return _TON_NAME, 0, of[:20]


def as_text(value: object) -> str:
    """A field that smpplib leaves in octets."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
