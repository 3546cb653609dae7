"""Attachments come from outside: their size is decided here, before they fill the memory, and it is paid for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from services.channels.base import ChannelError
from services.ledger.clients import of_httpx
from services.ledger.meter import Meter, Purpose

if TYPE_CHECKING:
    import httpx


def read_at_most(answer: httpx.Response, limit: int) -> bytes:
    """The body of a streamed answer, unpacked. Raises ChannelError beyond `limit` bytes."""
    content = bytearray()
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > limit:
            raise ChannelError(f"larger than {limit} bytes", permanent=True)
    return bytes(content)


@contextmanager
def metered(meter: Meter, purpose: Purpose, carrier: str, answer: httpx.Response) -> Iterator[None]:
    """Counts an answer, and the redirects that led to it, however far its body was read."""
    try:
        yield
    finally:
        for each in (*answer.history, answer):
            meter.record(purpose, carrier, of_httpx(each))
