"""A batch comes back as it was, to the precision that is documented; any other bytes end in one error."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from results import AT, MODEL, reading, result

from services.sync.batch import VERSION, Answer, Batch, BatchError, Down, Event, decode, decode_answer, encode
from services.sync.batch import encode_answer as written

shares = st.floats(0, 1)
models = st.sampled_from([MODEL, MODEL | {"tier": "light", "doubt": None}, MODEL | {"threshold": 0.123456789}])
readings = st.builds(
    lambda eye, finding, quality, probability, oedema, model: reading(
        eye, finding[0], gradable=finding[1], quality=quality, probability=probability, oedema=oedema, model=model
    ),
    st.sampled_from(["left", "right"]),
    st.sampled_from([("rescreen", True), ("refer", True), ("retake", False), ("retake", True)]),
    shares,
    st.none() | shares,
    st.none() | shares,
    models,
)
results = st.builds(
    lambda **changes: result(**changes),
    programme=st.sampled_from(["dr", "maize"]),
    sex=st.sampled_from(["female", "male", "unknown", "other"]),
    birth_year=st.integers(0, 2100),
    priority=st.sampled_from(["routine", "urgent"]),
    outcome=st.sampled_from(["refer", "rescreen"]),
    worker=st.integers(1, 2**40),
    opened_at=st.integers(0, 2**42),
    decided_at=st.integers(0, 2**42),
    readings=st.lists(readings, max_size=5),
)
events = st.lists(
    st.builds(
        Event,
        st.integers(1, 2**50),
        st.sampled_from(["result", "result", "withdrawn"]),
        st.integers(1, 2**50),
        results,
        st.none() | st.binary(min_size=6, max_size=6),
    ),
    max_size=60,
    unique_by=lambda event: event.seq,
)


@given(events, st.integers(0, 2**50))
def test_a_batch_comes_back(found: list[Event], seen: int) -> None:
    for event in found:
        if event.kind != "result":
            event.patient = None
    back = decode(encode(Batch(found, seen, {"backlog": 3})))
    assert (back.down_seen, back.report) == (seen, {"backlog": 3})
    for before, after in zip(sorted(found, key=lambda event: event.seq), back.events, strict=True):
        assert (before.seq, before.kind, before.ref, before.patient) == (
            after.seq,
            after.kind,
            after.ref,
            after.patient,
        )
        if before.kind != "result":
            assert before.content == after.content
            continue
        for name in ("programme", "sex", "birth_year", "priority", "outcome", "worker"):
            assert before.content[name] == after.content[name]
        assert before.content["decided_at"] - after.content["decided_at"] in range(1000)
        assert abs(before.content["opened_at"] - after.content["opened_at"]) <= 6000
        for one, other in zip(before.content["readings"], after.content["readings"], strict=True):
            for name in ("eye", "outcome", "gradable", "model"):
                assert one[name] == other[name]
            assert abs(one["quality"] - other["quality"]) <= 0.00501
            for name in ("probability", "oedema"):
                assert (one[name] is None) == (other[name] is None)
                assert one[name] is None or abs(one[name] - other[name]) <= 0.000501


@given(st.binary(max_size=400))
def test_any_bytes_are_a_batch_or_one_error(body: bytes) -> None:
    for hostile in (body, bytes([VERSION]) + body, bytes([VERSION]) + zstandard.compress(body)):
        try:
            decode(hostile)
        except BatchError:
            continue


@given(st.data())
def test_a_spoilt_batch_is_a_batch_or_one_error(data: st.DataObject) -> None:
    body = bytearray(encode(Batch([Event(7, "result", 4, result(), b"abcdef"), Event(8, "withdrawn", 4, {})])))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BatchError):
        decode(bytes(body))


def wire(**changes: object) -> bytes:
    fields = {
        "down_seen": 0,
        "report": None,
        "others": [],
        "results": 0,
        "models": [],
        "words": [],
        "columns": b"",
        "patients": b"",
    } | changes
    return bytes([VERSION]) + msgspec.msgpack.encode(list(fields.values()))


def bomb(size: int, *, tell: bool) -> bytes:
    compressor = zstandard.ZstdCompressor(write_content_size=tell).compressobj(size=size if tell else -1)
    return compressor.compress(bytes(size)) + compressor.flush()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "an empty body"),
        (bytes([0]) + b"\x90", "no batch ever had version 0"),
        (bytes([VERSION]) + bomb(64 * 2**20, tell=True), "too large when unpacked"),
        (bytes([VERSION]) + bomb(64 * 2**20, tell=False), "too large when unpacked"),
        (wire(results=501), "more than 500 events"),
        (wire(results=-1), "more than 500 events"),
        (wire(results="three"), "not a batch"),
        (wire(results=3), "too early"),
        (wire(results=400, columns=bytes(40)), "not a batch"),
        (wire(others=[[1, "withdrawn", 4, {}]] * 501), "more than 500 events"),
        (wire(others=[[-1, "withdrawn", 4, {}]]), "without a number"),
        (wire(others=[[1, "", 4, {}]]), "without a number or a kind"),
        (wire(down_seen=-1), "a cursor that is no number"),
        (wire(patients=b"abcdef"), "not one key for each patient"),
        (bytes([VERSION]) + b"\x91" * 4000, "not a batch"),
    ],
)
def test_what_is_refused_and_why(body: bytes, complaint: str) -> None:
    with pytest.raises(BatchError, match=complaint) as caught:
        decode(body)
    assert not caught.value.newer


def test_a_later_version_asks_for_an_update() -> None:
    with pytest.raises(BatchError, match=f"version {VERSION + 1}; this hub reads up to {VERSION}: update it") as caught:
        decode(bytes([VERSION + 1]) + b"whatever")
    assert caught.value.newer


def test_a_later_release_of_this_version_may_add_fields() -> None:
    plain = msgspec.msgpack.decode(wire(down_seen=5)[1:])
    assert decode(bytes([VERSION]) + msgspec.msgpack.encode([*plain, {"new": 1}])).down_seen == 5


@pytest.mark.parametrize(
    "content",
    [
        {},
        result(readings=[reading()] * 21),
        result(readings=[reading(eye="third")]),
        result(readings=[reading(outcome="perhaps")]),
        result(decided_at="today"),
        result(readings=[reading(model=MODEL | {"sha256": "no hex"})]),
    ],
)
def test_what_is_no_result_cannot_be_sent(content: dict[str, object]) -> None:
    with pytest.raises(BatchError, match="a result that cannot be sent"):
        encode(Batch([Event(1, "result", 1, content)]))


def test_fifty_alike_results_are_small() -> None:
    """The figure for real ones is that of `python app.py bench sync`."""
    alike = [Event(n, "result", n, result(decided_at=AT + 60_000 * n)) for n in range(1, 51)]
    assert len(encode(Batch(alike))) < 50 * 6


def test_answers_come_back() -> None:
    answer = Answer(AT, 9, [Down(4, "verdict", {"screening": 5})])
    assert decode_answer(written(answer)) == answer
    with pytest.raises(BatchError):
        decode_answer(b"<html>")
