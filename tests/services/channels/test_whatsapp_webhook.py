"""What Meta posts, and what is made of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels.base import BadCallback, DeliveryReport, DeliveryState, Inbound, Kind, Media
from services.channels.whatsapp import check_signature, parse, verify

SECRET = "an app secret"
CONTACT = {"profile": {"name": "Achieng"}, "wa_id": "254711000001"}


def envelope(*messages: object, contacts: object = (CONTACT,), **value: object) -> bytes:
    changes = [
        {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "254711082001", "phone_number_id": "1066"},
                "contacts": list(contacts) if isinstance(contacts, tuple) else contacts,
                "messages": list(messages),
                **value,
            },
        }
    ]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1022", "changes": changes}]}).encode()


def message(kind: str, content: object, **more: object) -> dict[str, Any]:
    return {"from": "254711000001", "id": "wamid.A1", "timestamp": "1795511565", "type": kind, kind: content, **more}


def one(raw: bytes) -> Inbound:
    (event,) = parse(raw)
    assert isinstance(event, Inbound)
    return event


def test_a_text() -> None:
    assert one(envelope(message("text", {"body": "Habari"}))) == Inbound(
        carrier="whatsapp",
        kind=Kind.WHATSAPP,
        provider_id="wamid.A1",
        sender="+254711000001",
        recipient="254711082001",
        text="Habari",
        sent_at="1795511565",
    )


@pytest.mark.parametrize(
    ("kind", "content", "text", "choice"),
    [
        (
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "left", "title": "Kushoto"}},
            "Kushoto",
            "left",
        ),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "luo", "title": "Dholuo"}}, "Dholuo", "luo"),
        ("button", {"payload": "yes", "text": "Ndiyo"}, "Ndiyo", "yes"),
        ("reaction", {"message_id": "wamid.B", "emoji": "👍"}, "", ""),
        ("location", {"latitude": 0.1, "longitude": 34.7}, "", ""),
        ("unsupported", {}, "", ""),
        ("hologram", None, "", ""),
        ("text", "not an object", "", ""),
    ],
)
def test_choices_and_what_we_do_not_know(kind: str, content: object, text: str, choice: str) -> None:
    event = one(envelope(message(kind, content)))
    assert (event.text, event.choice, event.media) == (text, choice, ())


@pytest.mark.parametrize("kind", ["image", "document", "audio"])
def test_an_attachment(kind: str) -> None:
    event = one(
        envelope(message(kind, {"id": "9876", "mime_type": "image/jpeg", "sha256": "q83v", "caption": "482913 left"}))
    )
    assert event.media == (Media("image/jpeg", locator="9876", sha256="q83v"),)
    assert event.text == "482913 left"


def test_an_attachment_without_an_id_is_a_message_without_one() -> None:
    assert one(envelope(message("image", {"caption": "482913"}))).media == ()


@pytest.mark.parametrize(
    ("contacts", "senders", "expected"),
    [
        ((CONTACT,), [{}], ["+254711000001"]),
        ((), [{"from": "254711000001"}], ["+254711000001"]),
        (({"user_id": "KE.77"},), [{}], ["user:KE.77"]),
        (({"user_id": "KE.77", "profile": {}},), [{"from_user_id": "KE.77"}], ["user:KE.77"]),
        # Each person is named once, however many messages there are, and in any order.
        (
            ({"user_id": "KE.77"}, {"user_id": "KE.88", "wa_id": "254722000002"}),
            [{"from_user_id": "KE.88"}, {"from_user_id": "KE.77"}, {"from_user_id": "KE.88"}],
            ["+254722000002", "user:KE.77", "+254722000002"],
        ),
    ],
)
def test_who_wrote(contacts: tuple[Any, ...], senders: list[dict[str, str]], expected: list[str]) -> None:
    messages = [
        {"id": f"wamid.{number}", "type": "text", "text": {"body": "x"}, **sender}
        for number, sender in enumerate(senders)
    ]
    events = parse(envelope(*messages, contacts=contacts))
    assert [event.sender for event in events if isinstance(event, Inbound)] == expected


def test_nobody_can_be_told_apart_without_a_name() -> None:
    nameless = {"id": "wamid.1", "type": "text", "text": {"body": "x"}}
    assert parse(envelope(nameless, contacts=({"user_id": "a"}, {"user_id": "b"}))) == []


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("sent", DeliveryState.SENT),
        ("delivered", DeliveryState.DELIVERED),
        ("read", DeliveryState.DELIVERED),
        ("failed", DeliveryState.FAILED),
        ("warped", None),
    ],
)
def test_delivery(status: str, state: DeliveryState | None) -> None:
    errors = [{"code": 131026, "title": "Message undeliverable"}]
    events = parse(envelope(statuses=[{"id": "wamid.Z", "status": status, "errors": errors}]))
    assert events == [DeliveryReport("whatsapp", "wamid.Z", state, status, "131026 Message undeliverable")]


def test_a_batch_of_everything_keeps_what_is_good() -> None:
    good, bad = message("text", {"body": "x"}), [None, 5, "x", {}, {"id": "wamid.2"}, {"from": "2547"}]
    events = parse(envelope(*bad, good, contacts="none", statuses=[{"status": "sent"}, {"id": "w", "status": "sent"}]))
    assert [event.provider_id for event in events] == ["wamid.A1", "w"]


def test_no_half_of_a_letter_and_no_nul_reach_the_store() -> None:
    raw = envelope(message("text", {"body": "X"})).replace(b'"X"', b'"a\\ud83d\\u0000b"')
    text = one(raw).text
    assert text.encode() == b"a?b"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"5", b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_webhook(raw: bytes) -> None:
    with pytest.raises(BadCallback):
        parse(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "from", "type", "text", "body", "image", "wa_id", "status"]), inner)
    ),
    max_leaves=12,
)


@given(messages=JSON, contacts=JSON, statuses=JSON, metadata=JSON)
def test_any_json_is_read_without_harm(messages: object, contacts: object, statuses: object, metadata: object) -> None:
    value = {"messages": messages, "contacts": contacts, "statuses": statuses, "metadata": metadata}
    raw = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    for event in parse(raw):
        assert event.provider_id


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadCallback):
        parse(raw)


def signature(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def test_a_good_signature_over_the_raw_bytes() -> None:
    raw = b'{"entry" :  []}\n'
    check_signature(raw, signature(raw), SECRET)


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("", SECRET),
        ("sha256=", SECRET),
        (signature(b"{}").removeprefix("sha256="), SECRET),
        (signature(b"{ }"), SECRET),
        (signature(b"{}", "another"), SECRET),
        ("sha256=é", SECRET),
        (signature(b"{}", ""), ""),  # without a secret nothing is let in
    ],
)
def test_a_bad_signature(header: str, secret: str) -> None:
    with pytest.raises(BadCallback) as refused:
        check_signature(b"{}", header, secret)
    assert refused.value.status == 403


def test_verification_echoes_the_challenge() -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "tell me", "hub.challenge": "1158201444"}
    assert verify(asked, "tell me") == "1158201444"


@pytest.mark.parametrize(
    ("change", "token"),
    [
        ({"hub.verify_token": "wrong"}, "tell me"),
        ({"hub.mode": "unsubscribe"}, "tell me"),
        ({"hub.verify_token": ""}, ""),
        ({"hub.verify_token": "é"}, "tell me"),
    ],
)
def test_verification_refuses(change: dict[str, str], token: str) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "tell me", "hub.challenge": "1"} | change
    with pytest.raises(BadCallback) as refused:
        verify(asked, token)
    assert refused.value.status == 403
