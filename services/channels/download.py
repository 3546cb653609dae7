"""Attachments come from outside: their size is decided here, before they fill the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.channels.base import ChannelError

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
