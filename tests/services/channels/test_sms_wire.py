"""SMPP's and the modem's parsers, on what carriers send and on anything else."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
import smpplib.client
import smpplib.smpp
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from services.channels.base import DeliveryState
from services.channels.gsm7 import normalise
from services.channels.modem import incoming
from services.channels.modem.device import DeviceError
from services.channels.smpp import receipts
from services.channels.smpp.link import LinkLost, address, frames
from services.channels.smpp.status import refusal
from services.channels.smpp.text import Part, decode, decode_gsm7, encode, encode_gsm7, header, split_header

PATIENT = "+254722000002"


@given(st.text(max_size=400))
def test_gsm7_there_and_back(text: str) -> None:
    plain = normalise(text)
    assert decode_gsm7(encode_gsm7(plain)) == plain
    coding, pieces = encode(plain, "gsm7")
    assert (coding, len(pieces)) == (0, len(smsutil.split(plain).parts))
    assert all(len(piece) <= (160 if len(pieces) == 1 else 153) for piece in pieces)
    assert "".join(decode_gsm7(piece) for piece in pieces) == plain


@given(st.text(max_size=300), st.sampled_from(["latin1", "ucs2"]))
def test_other_alphabets_keep_to_their_room(text: str, alphabet: str) -> None:
    plain = normalise(text)
    coding, pieces = encode(plain, alphabet)
    assert all(len(piece) <= (140 if len(pieces) == 1 else 134) for piece in pieces)
    if alphabet == "ucs2":
        assert "".join(decode(piece, coding, alphabet) or "" for piece in pieces) == plain


@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from(["gsm7", "latin1", "ucs2"]))
def test_any_octets_are_text_or_none(octets: bytes, coding: int, alphabet: str) -> None:
    part, rest = split_header(octets)
    assert 1 <= part.number <= part.of
    assert octets.endswith(rest)
    text = decode(rest, coding, alphabet)
    assert text is None or isinstance(text, str)


@pytest.mark.parametrize(
    ("octets", "part"),
    [
        (header(300, 3, 2), Part(44, 2, 3)),
        (bytes.fromhex("06080412340302"), Part(0x1234, 2, 3)),
        (bytes.fromhex("0b0504158200000003070201"), Part(7, 1, 2)),
        (bytes.fromhex("050003070200"), Part()),
        (bytes.fromhex("050003070203"), Part()),
    ],
)
def test_headers_of_parts(octets: bytes, part: Part) -> None:
    assert split_header(octets + b"Hi") == (part, b"Hi")


USUAL = "id:0000003F sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:{} err:000 text:stat:no id:4"


@pytest.mark.parametrize(
    ("text", "message_id", "state", "references", "expected"),
    [
        (USUAL.format("DELIVRD"), "", None, ("3f", "63"), DeliveryState.DELIVERED),
        (USUAL.format("UNDELIV"), "", None, ("3f", "63"), DeliveryState.FAILED),
        (USUAL.format("EXPIRED"), "", None, ("3f", "63"), DeliveryState.FAILED),
        (USUAL.format("REJECTD"), "", None, ("3f", "63"), DeliveryState.FAILED),
        (USUAL.format("ENROUTE"), "", None, ("3f", "63"), DeliveryState.SENT),
        (USUAL.format("UNKNOWN"), "", None, ("3f", "63"), None),
        (USUAL.format("ENROUTE"), "0063", 2, ("63", "3f", "99"), DeliveryState.DELIVERED),
        ("", "a1b2-c3", 5, ("a1b2-c3",), DeliveryState.FAILED),
        ("stat:DELIVRD id: 12345 err:1", "", None, ("12345", "3039", "74565"), DeliveryState.DELIVERED),
        ("id:7", "", None, ("7",), None),
    ],
)
def test_receipts(
    text: str, message_id: str, state: int | None, references: tuple[str, ...], expected: DeliveryState | None
) -> None:
    found = receipts.parse(text, message_id, state)
    assert found is not None
    assert (found.references, found.state) == (references, expected)


@given(st.text(max_size=200), st.text(max_size=80), st.none() | st.integers(0, 255))
def test_any_receipt_is_one_or_none(text: str, message_id: str, state: int | None) -> None:
    found = receipts.parse(text, message_id, state)
    assert found is None or all(found.references)


@given(st.binary(max_size=80))
def test_any_stream_is_cut_or_refused(data: bytes) -> None:
    try:
        found, rest = frames(data)
    except LinkLost:
        return
    assert b"".join(found) + rest == data
    assert all(struct.unpack(">L", frame[:4])[0] == len(frame) for frame in found)


@given(st.sampled_from([0x80000004, 0x00000005, 0x00000015, 0x80000000]), st.binary(max_size=120))
@settings(max_examples=300)
def test_any_pdu_is_read_or_named(command: int, body: bytes) -> None:
    from services.channels.smpp.link import Link

    link = Link.__new__(Link)
    link._client = smpplib.client.Client("127.0.0.1", 1, allow_unknown_opt_params=True)
    frame = struct.pack(">LLLL", 16 + len(body), command, 0, 7) + body
    pdu = link._read(frame)
    assert pdu.sequence == 7
    assert pdu.command in ("submit_sm_resp", "deliver_sm", "enquire_link", "generic_nack")


@pytest.mark.parametrize(
    ("status", "permanent", "wait_s"),
    [
        (0x58, False, 10),
        (0x14, False, 30),
        (0x08, False, 30),
        (0x64, False, 30),
        (0x0A, False, 600),
        (0x0B, True, None),
        (0x66, True, None),
        (0x0400, False, 600),
    ],
)
def test_what_a_command_status_means(status: int, permanent: bool, wait_s: float | None) -> None:
    error = refusal(status)
    assert (error.permanent, error.unknown, error.retry_after_s) == (permanent, False, wait_s)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (PATIENT, (1, 1, "254722000002")),
        ("22384", (3, 1, "22384")),
        ("254711000001", (1, 1, "254711000001")),
        ("JICHO", (5, 0, "JICHO")),
    ],
)
def test_addresses(of: str, expected: tuple[int, int, str]) -> None:
    assert address(of) == expected


@pytest.mark.parametrize(
    ("name", "cms", "permanent", "unknown", "wait_s"),
    [
        ("ERR_TIMEOUT", None, False, True, None),
        ("ERR_UNKNOWN", None, False, True, None),
        ("ERR_UNKNOWN", 500, False, True, None),
        ("ERR_UNKNOWN", 332, False, True, None),
        ("ERR_UNKNOWN", 331, False, False, None),
        ("ERR_UNKNOWN", 21, False, False, 300),
        ("ERR_UNKNOWN", 1, True, False, None),
        ("ERR_NOSIM", None, False, False, None),
        ("ERR_DEVICEOPENERROR", None, False, False, None),
    ],
)
def test_what_a_modems_refusal_means(
    name: str, cms: int | None, permanent: bool, unknown: bool, wait_s: float | None
) -> None:
    error = DeviceError(name, cms).of_sending()
    assert (error.permanent, error.unknown, error.retry_after_s) == (permanent, unknown, wait_s)


def sms(
    location: int, text: object, *, reference: int = -1, number: int = -1, of: int = -1, **more: Any
) -> dict[str, Any]:
    """One SMS as gammu gives it."""
    return {
        "Location": location,
        "Number": PATIENT,
        "Type": "Deliver",
        "Coding": "Default_No_Compression",
        "Text": text,
        "DateTime": datetime(2026, 11, 24, 9, tzinfo=UTC),
        "UDH": {"AllParts": of, "PartNumber": number, "ID8bit": reference, "ID16bit": -1},
        "DeliveryStatus": 0,
        "MessageReference": 0,
    } | more


def stored(*found: dict[str, Any]) -> list[incoming.Stored]:
    read = [incoming.read(each) for each in found]
    return [each for each in read if isinstance(each, incoming.Stored)]


def test_parts_are_joined_whatever_their_order_and_twice_the_same_reference() -> None:
    parts = stored(
        sms(4, "B2", reference=7, number=2, of=2),
        sms(1, "A1", reference=7, number=1, of=2),
        sms(3, "A2", reference=7, number=2, of=2, DateTime=datetime(2026, 11, 24, 8, tzinfo=UTC)),
        sms(2, "B1", reference=7, number=1, of=2, DateTime=datetime(2026, 11, 24, 10, tzinfo=UTC)),
        sms(5, "C1", reference=8, number=1, of=2),
        sms(6, "alone"),
    )
    wholes = incoming.join(parts, "")
    assert sorted(whole.inbound.text for whole in wholes) == ["A1A2", "B1B2", "alone"]
    assert sorted(location for whole in wholes for location in whole.locations) == [1, 2, 3, 4, 6]
    assert len({whole.inbound.provider_id for whole in wholes}) == 3
    again = incoming.join(reversed(parts), "")
    assert {whole.inbound.provider_id for whole in again} == {whole.inbound.provider_id for whole in wholes}
    (rest,) = (whole for whole in incoming.join(parts, "", incomplete=True) if 5 in whole.locations)
    assert rest.inbound.text == "C1 [...] "


def test_what_is_no_text_is_none() -> None:
    assert incoming.read(sms(1, b"\x01\x02", Coding="8bit")) is None
    assert incoming.read(sms(1, "settings", Coding="8bit")) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, DeliveryState.DELIVERED),
        (2, DeliveryState.DELIVERED),
        (0x20, None),
        (0x41, DeliveryState.FAILED),
        (0x62, DeliveryState.FAILED),
    ],
)
def test_a_modems_report(status: int, state: DeliveryState | None) -> None:
    found = incoming.read(sms(9, "", Type="Status_Report", DeliveryStatus=status, MessageReference=17))
    assert found == incoming.Report(9, PATIENT, "17", state, str(status))
