"""What goes to the hub and what it answers: batches of events and reports, versioned; results as columns.

On the wire a batch is one byte, the version, and then msgpack, as it is or in a frame of zstandard, whichever is
shorter. Of a result less precision travels than the site keeps: times in whole seconds (rounded down), probabilities in
thousandths, quality in hundredths (both rounded to the nearest). What was found is sent itself and must not be derived
again from a rounded probability. The models' thresholds and fingerprints travel exactly, once a batch.
"""

from __future__ import annotations

from typing import Any

import msgspec
import zstandard

from services.sync.packing import Model, ResultError, pack, unpack

VERSION = 1
MOST_EVENTS = 500
_MOST_BYTES = 1024 * 1024
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RESULT = "result"


class BatchError(Exception):
    """These bytes are no batch. The text says why; `newer`: a later release than this one wrote them."""

    def __init__(self, reason: str, *, newer: bool = False) -> None:
        super().__init__(reason)
        self.newer = newer


class Event(msgspec.Struct, array_like=True):
    """One thing that happened at a site. `ref` is the number of the screening there, or None; `content` depends on the
    kind; `patient` is the 6-byte key of the patient's phone, where there is one, and goes with results only."""

    seq: int
    kind: str
    ref: int | None
    content: dict[str, Any]
    patient: bytes | None = None


class Batch(msgspec.Struct):
    """Some events of one site by number, the number of the last thing that it has from the hub, and how it is, now and
    then."""

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


class _Wire(msgspec.Struct, array_like=True):
    """Fields may be added at the end: older releases pass over them."""

    down_seen: int
    report: dict[str, Any] | None
    others: list[Event]
    results: int
    models: list[Model]
    words: list[str]
    columns: bytes
    patients: bytes


def encode(batch: Batch) -> bytes:
    """A batch as it goes over the wire. Raises BatchError for a result that is none."""
    results = [event for event in batch.events if event.kind == _RESULT]
    try:
        packed = pack([(event.seq, event.ref or 0, event.content, event.patient) for event in results])
    except ResultError as error:
        raise BatchError(str(error)) from None
    others = [event for event in batch.events if event.kind != _RESULT]
    plain = msgspec.msgpack.encode(_Wire(batch.down_seen, batch.report, others, len(results), *packed))
    small = zstandard.ZstdCompressor(level=19, write_content_size=True).compress(plain)
    return bytes([VERSION]) + min(plain, small, key=len)


def decode(body: bytes) -> Batch:
    """The batch in these bytes. Raises BatchError, and needs bounded memory whatever they are."""
    if not body:
        raise BatchError("an empty body")
    if body[0] > VERSION:
        raise BatchError(f"a batch of version {body[0]}; this hub reads up to {VERSION}: update it first", newer=True)
    if body[0] != VERSION:
        raise BatchError(f"no batch ever had version {body[0]}")
    try:
        wire = msgspec.msgpack.decode(_plain(body[1:]), type=_Wire)
        if wire.results < 0 or len(wire.others) + wire.results > MOST_EVENTS:
            raise BatchError(f"more than {MOST_EVENTS} events")
        found = unpack(wire.results, wire.models, wire.words, wire.columns, wire.patients)
    except (zstandard.ZstdError, msgspec.MsgspecError, ResultError, ValueError, RecursionError) as error:
        raise BatchError(f"not a batch: {error}") from None
    results = [Event(seq, _RESULT, ref, content, patient) for seq, ref, content, patient in found]
    events = sorted(wire.others + results, key=lambda event: event.seq)
    if any(not _fits(event.seq) or not _fits(event.ref or 0) or event.kind == "" for event in events):
        raise BatchError("not a batch: an event without a number or a kind")
    if not _fits(wire.down_seen):
        raise BatchError("not a batch: a cursor that is no number")
    return Batch(events, wire.down_seen, wire.report)


def encode_answer(answer: Answer) -> bytes:
    """The answer as it goes over the wire."""
    return msgspec.msgpack.encode(answer)


def decode_answer(body: bytes) -> Answer:
    """The answer in these bytes. Raises BatchError."""
    try:
        return msgspec.msgpack.decode(body, type=Answer)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BatchError(f"not an answer: {error}") from None


def _plain(data: bytes) -> bytes:
    if not data.startswith(_ZSTD_MAGIC):
        return data
    size = zstandard.frame_content_size(data)
    if not 0 <= size <= _MOST_BYTES:  # a frame that does not say its size, or says too much, is not unpacked at all
        raise BatchError("not a batch: too large when unpacked")
    return zstandard.ZstdDecompressor(max_window_size=_MOST_BYTES).decompress(data, max_output_size=_MOST_BYTES)


def _fits(number: int) -> bool:
    return 0 <= number < 2**63
