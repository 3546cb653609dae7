"""Africa's Talking's callbacks, in the forms that its documentation and recorded traffic show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels.africastalking import (
    parse_delivery,
    parse_optout,
    parse_sms,
    parse_ussd,
    parse_ussd_end,
    parse_voice,
)
from services.channels.base import BadCallback, DeliveryReport, DeliveryState, Inbound, Kind, UssdEnd, UssdTurn

USSD = {
    "sessionId": "ATUid_3b5e8c1d",
    "serviceCode": "*384*77#",
    "phoneNumber": "+254711000001",
    "networkCode": "63902",
    "text": "",
}
USSD_END = {
    "date": "2026-11-24 09:12:45",
    "sessionId": "ATUid_3b5e8c1d",
    "serviceCode": "*384*77#",
    "networkCode": "63902",
    "phoneNumber": "+254711000001",
    "status": "Incomplete",
    "cost": "KES 1.5000",
    "durationInMillis": "45120",
    "hopsCount": "4",
    "hopsMetadata": "menu,sex",
    "input": "1*2",
    "lastAppResponse": "CON Year of birth?",
}
SMS = {
    "date": "2017-05-03T06:04:45Z",
    "from": "+254711000001",
    "id": "f2a5c1e8-7d31-4b0e-9a35-0f2b4a7f9d11",
    "linkId": "",
    "text": "STOP",
    "to": "38477",
    "networkCode": "63902",
}
DELIVERY = {
    "id": "ATXid_91e2",
    "status": "Success",
    "phoneNumber": "+254722000002",
    "networkCode": "63902",
    "retryCount": "0",
}
OPTOUT = {"senderId": "JICHO", "phoneNumber": "+254722000002"}
VOICE = {
    "isActive": "1",
    "sessionId": "ATVId_77c1",
    "direction": "Outbound",
    "callerNumber": "+254722000002",
    "destinationNumber": "+254711082000",
    "callSessionState": "Answered",
    "callStartTime": "2026-11-24+09:12:45",
    "callerCountryCode": "254",
    "callerCarrierName": "Safaricom",
}
FIGURES = ("hopsCount", "durationInMillis")
PARSERS: list[tuple[Callable[..., Any], dict[str, str]]] = [
    (parse_ussd, USSD),
    (parse_ussd_end, USSD_END),
    (parse_sms, SMS),
    (parse_delivery, DELIVERY),
    (parse_optout, OPTOUT),
    (parse_voice, VOICE),
]


@pytest.mark.parametrize("text", ["", "1", "1*2", "1*2*Achieng", "7*a*b*****", "1*Ng'ombe mŋaa", " 1 "])
def test_a_ussd_turn_keeps_its_text_as_received(text: str) -> None:
    assert parse_ussd(USSD | {"text": text}) == UssdTurn("ATUid_3b5e8c1d", "*384*77#", "+254711000001", "63902", text)


def test_a_ussd_turn_needs_no_text_or_network() -> None:
    turn = parse_ussd({"sessionId": "s", "phoneNumber": "254711000001"})
    assert (turn.text, turn.network, turn.msisdn) == ("", "", "+254711000001")


def test_the_end_of_a_ussd_session() -> None:
    assert parse_ussd_end(USSD_END) == UssdEnd("ATUid_3b5e8c1d", "+254711000001", "Incomplete", 4, "KES 1.5000", 45120)


def test_odd_figures_do_not_lose_the_end_of_a_session() -> None:
    end = parse_ussd_end(USSD_END | {"hopsCount": "many", "durationInMillis": ""})
    assert (end.hops, end.duration_ms) == (None, None)


@pytest.mark.parametrize("date", ["2017-05-03T06:04:45Z", "2017-05-03 06:04:45"])
def test_an_sms_with_either_form_of_date(date: str) -> None:
    assert parse_sms(SMS | {"date": date}) == Inbound(
        carrier="africastalking",
        kind=Kind.SMS,
        provider_id="f2a5c1e8-7d31-4b0e-9a35-0f2b4a7f9d11",
        sender="+254711000001",
        recipient="38477",
        text="STOP",
        sent_at="2017-05-03T06:04:45",
        network="63902",
    )


@pytest.mark.parametrize(
    ("sender", "kept"),
    [
        ("+254711000001", "+254711000001"),
        ("254711000001", "+254711000001"),
        (" 254711000001", "+254711000001"),  # a + that was not escaped in the form
        ("8f14e45fceea167a5a36dedd4bea2543", "8f14e45fceea167a5a36dedd4bea2543"),  # masked by Safaricom
        ("MPESA", "MPESA"),
        ("22345", "22345"),
    ],
)
def test_an_sms_from_whatever_the_carrier_calls_its_sender(sender: str, kept: str) -> None:
    assert parse_sms(SMS | {"from": sender}).sender == kept


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Sent", DeliveryState.SENT),
        ("Submitted", DeliveryState.SENT),
        ("Buffered", DeliveryState.SENT),
        ("Success", DeliveryState.DELIVERED),
        ("Rejected", DeliveryState.FAILED),
        ("Failed", DeliveryState.FAILED),
        ("Expired", DeliveryState.FAILED),
        ("AbsentSubscriber", DeliveryState.FAILED),
        ("SomethingNew", None),
    ],
)
def test_every_delivery_status(status: str, state: DeliveryState | None) -> None:
    report = parse_delivery(DELIVERY | {"status": status, "failureReason": "UserInBlackList"})
    assert report == DeliveryReport("africastalking-sms", "ATXid_91e2", state, status, "UserInBlackList")


def test_an_opt_out_names_the_number() -> None:
    assert parse_optout(OPTOUT) == "+254722000002"


def test_a_call_that_is_answered_and_keyed() -> None:
    answered, keyed = parse_voice(VOICE), parse_voice(VOICE | {"dtmfDigits": "482913"})
    assert (answered.active, answered.digits, answered.direction) == (True, None, "outbound")
    assert (keyed.digits, keyed.caller, keyed.destination) == ("482913", "+254722000002", "+254711082000")


def test_a_call_that_ended_says_what_it_cost() -> None:
    event = parse_voice(
        VOICE
        | {
            "isActive": "0",
            "durationInSeconds": "41",
            "currencyCode": "KES",
            "amount": "2.05",
            "hangupCause": "NORMAL_CLEARING",
        }
    )
    assert (event.active, event.duration_s, event.cost, event.hangup_cause) == (
        False,
        41,
        "KES 2.05",
        "NORMAL_CLEARING",
    )


@pytest.mark.parametrize(
    ("parse", "form", "missing"),
    [
        (parse_ussd, USSD, "sessionId"),
        (parse_ussd, USSD, "phoneNumber"),
        (parse_ussd_end, USSD_END, "sessionId"),
        (parse_sms, SMS, "id"),
        (parse_sms, SMS, "from"),
        (parse_delivery, DELIVERY, "id"),
        (parse_delivery, DELIVERY, "status"),
        (parse_optout, OPTOUT, "phoneNumber"),
        (parse_voice, VOICE, "sessionId"),
    ],
)
@pytest.mark.parametrize("left", [None, "", "  "])
def test_what_identifies_a_callback_must_be_there(
    parse: Callable[..., Any], form: dict[str, str], missing: str, left: str | None
) -> None:
    bad = {name: value for name, value in form.items() if name != missing} | ({} if left is None else {missing: left})
    with pytest.raises(BadCallback, match=missing):
        parse(bad)


@pytest.mark.parametrize(("parse", "form"), PARSERS)
def test_oversize_and_nul_are_refused_in_every_field_that_is_kept(
    parse: Callable[..., Any], form: dict[str, str]
) -> None:
    plain = str(parse(form))
    for name in form:
        if name in FIGURES or str(parse(form | {name: "Z9Z9"})) == plain:
            continue  # not kept, or None unless it is a figure
        for bad in ("x" * 10_000, "a\x00b"):
            with pytest.raises(BadCallback, match=name):
                parse(form | {name: bad})


@pytest.mark.parametrize(("parse", "form"), PARSERS)
@given(data=st.data())
def test_nothing_but_bad_callback_comes_of_hostile_forms(
    parse: Callable[..., Any], form: dict[str, str], data: st.DataObject
) -> None:
    hostile = data.draw(st.dictionaries(st.sampled_from([*sorted(form), "dtmfDigits", "amount"]), st.text(max_size=40)))
    with suppress(BadCallback):
        parse(form | hostile)
