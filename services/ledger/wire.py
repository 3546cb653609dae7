"""From bytes of HTTP to bytes that the link's operator bills: an estimate, since no process sees packets.

HTTP bytes (start line, headers, body) are counted; what TLS 1.3, TCP and IPv4 put around them is estimated from a
measurement: two network namespaces joined by a veth pair (MTU 1500, no segmentation offload), Python's `ssl` on both
ends, RSA-2048 certificates in a chain of two (2,354 bytes), the interface's own counters less Ethernet headers.

| measured | up | down |
|---|---|---|
| a new connection, beyond what it then carries | 1,233 bytes, of which TLS 597 | 3,890 bytes, of which TLS 3,425 |
| each small exchange on it, beyond its HTTP bytes | 76 bytes, of which TLS 22 | 74 bytes, of which TLS 22 |
| each byte sent in bulk (1 MB) | 1.0394 | 0.0127 of acknowledgements |
| each byte received in bulk (5 MB) | 0.0134 of acknowledgements | 1.0386 |

Not counted: DNS, lost packets sent again, exchanges that broke off.
"""

from __future__ import annotations

from dataclasses import dataclass

_RECORD, _LARGEST_RECORD = 22, 16_384  # TLS 1.3 around each record: RFC 8446, 5.2
_HANDSHAKE_UP, _HANDSHAKE_DOWN = 597, 3_425
_CONNECTION_UP, _CONNECTION_DOWN = 1_233 - _HANDSHAKE_UP, 3_890 - _HANDSHAKE_DOWN
_EXCHANGE = 53
_SEGMENTS = 0.038
_ACKNOWLEDGING = 0.013


@dataclass(frozen=True)
class Exchange:
    """One HTTP exchange: bytes with headers, and what names its TCP connection ("" for one that carries only this)."""

    sent: int
    received: int
    connection: str = ""


def with_tls(sent: int, received: int, *, exchanges: int, connections: int) -> tuple[float, float]:
    """HTTP bytes `(sent, received)` once TLS 1.3 is around them, with the handshakes of new connections."""
    records = 1 + _RECORD / _LARGEST_RECORD
    return (
        sent * records + exchanges * _RECORD + connections * _HANDSHAKE_UP,
        received * records + exchanges * _RECORD + connections * _HANDSHAKE_DOWN,
    )


def on_the_wire(sent: float, received: float, *, exchanges: int, connections: int) -> tuple[int, int]:
    """Bytes `(up, down)` on the link, once TCP and IP are around what TLS `sent` and `received`."""
    up = sent * (1 + _SEGMENTS) + received * _ACKNOWLEDGING + exchanges * _EXCHANGE + connections * _CONNECTION_UP
    down = received * (1 + _SEGMENTS) + sent * _ACKNOWLEDGING + exchanges * _EXCHANGE + connections * _CONNECTION_DOWN
    return round(up), round(down)
