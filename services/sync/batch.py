"""What goes to the hub and what it answers: batches of events, versioned and compressed."""

from __future__ import annotations

from typing import Any

import msgspec
import zstandard

VERSION = 1
MOST_EVENTS = 500
_LARGEST = 4 * 1024 * 1024


class BatchError(Exception):
    """These bytes are no batch. The text says why; `newer`: a later release than this one wrote them."""

    def __init__(self, reason: str, *, newer: bool = False) -> None:
        super().__init__(reason)
        self.newer = newer


class Event(msgspec.Struct, array_like=True):
    """One thing that happened at a site. `ref` is the number of the screening there, or None; `content` depends on the
    kind; `patient` is the 6-byte key of the patient's phone, where there is one."""

    seq: int
    kind: str
    ref: int | None
    content: dict[str, Any]
    patient: bytes | None = None


class Batch(msgspec.Struct, array_like=True):
    """Some events of one site, the number of the last thing that it has from the hub, and how it is, now and then."""

    events: list[Event]
    down_seen: int = 0
    report: dict[str, Any] | None = None


class Down(msgspec.Struct, array_like=True):
    """Something that the hub has for a site."""

    id: int
    kind: str
    content: dict[str, Any]


class Answer(msgspec.Struct, array_like=True):
    """What the hub says to a batch once it is stored: its clock (ms), the highest sequence number it ever had from the
    site, and what waits for the site."""

    now_ms: int
    highest_seq: int
    down: list[Down]


def encode(batch: Batch) -> bytes:
    """A batch as it goes over the wire."""
    return bytes([VERSION]) + zstandard.ZstdCompressor(level=19).compress(msgspec.msgpack.encode(batch))


def decode(body: bytes) -> Batch:
    """The batch in these bytes. Raises BatchError, and needs bounded memory whatever they are."""
    if not body:
        raise BatchError("an empty body")
    if body[0] > VERSION:
        raise BatchError(f"a batch of version {body[0]}: this hub knows {VERSION}, update it", newer=True)
    try:
        plain = zstandard.ZstdDecompressor(max_window_size=2**23).decompress(body[1:], max_output_size=_LARGEST)
        return msgspec.msgpack.decode(plain, type=Batch)
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise BatchError(f"not a batch: {error}") from None


def encode_answer(answer: Answer) -> bytes:
    """The answer as it goes over the wire."""
    return msgspec.msgpack.encode(answer)


def decode_answer(body: bytes) -> Answer:
    """The answer in these bytes. Raises BatchError."""
    try:
        return msgspec.msgpack.decode(body, type=Answer)
    except msgspec.MsgspecError as error:
        raise BatchError(f"not an answer: {error}") from None
