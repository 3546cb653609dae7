"""Messages and calls are counted with their effect, once: what the carrier says of a cost wins."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from services.calls.dialogue import answer_call
from services.channels.base import (
    ChannelError,
    DeliveryReport,
    DeliveryState,
    Inbound,
    Kind,
    Outbound,
    Receipt,
    VoiceEvent,
)
from services.ledger.charges import cost
from services.messaging.delivery import record_report, send_message
from services.messaging.inbox import receive
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.people import add_worker
from services.store.tables import message

Entries = Callable[[], dict[tuple[str, str], dict[str, Any]]]
PATIENT = "+254722000002"
PART = 6_201_550  # KES 0.80 at 129 to the dollar, in billionths
IDS = itertools.count(1)


class Carrier:
    """Takes what it is given, or fails as told; `meanwhile` happens while it does."""

    name = "africastalking-sms"

    def __init__(self, receipt: Receipt | ChannelError, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.receipt, self.meanwhile = receipt, meanwhile

    def for_kind(self, _kind: Kind) -> Carrier:
        return self

    def send(self, _message: Outbound) -> Receipt:
        self.meanwhile()
        if isinstance(self.receipt, ChannelError):
            raise self.receipt
        return self.receipt


def send(site: Runtime, carrier: Carrier, text: str = "Habari", kind: Kind = Kind.SMS) -> int:
    site.channels = carrier  # type: ignore[assignment]
    with site.db.write() as tx:
        number = post(tx, kind, PATIENT, text, key=str(next(IDS)), purpose="result", language="sw")
    assert number is not None
    send_message(site, {"message_id": number})
    return number


def report(site: Runtime, provider_id: str, state: DeliveryState = DeliveryState.DELIVERED) -> None:
    with site.db.write() as tx:
        record_report(tx, DeliveryReport("africastalking-sms", provider_id, state, ""), recipient=PATIENT)


def test_parts_and_cost_come_with_the_receipt(site: Runtime, entries: Entries) -> None:
    send(site, Carrier(Receipt("1", "Success", "KES 1.6000", 2)), "a" * 200)
    send(site, Carrier(Receipt("2", "Success", "", 1)))
    send(site, Carrier(Receipt("3", "Success", "UGX 35", 1)))
    report(site, "1")
    row = entries()["sms", "up"]
    assert (row["number"], row["parts"], row["simulated"]) == (3, 4, True)
    assert (row["cost_reported"], row["cost_estimated"]) == (12_403_101, 2 * PART)


def test_what_no_carrier_took_costs_nothing(site: Runtime, entries: Entries) -> None:
    for permanent in (True, False):
        send(site, Carrier(ChannelError("refused", permanent=permanent)))
    send(site, Carrier(ChannelError("lost", unknown=True)))
    assert entries() == {}


def test_a_message_whose_receipt_was_lost_is_paid_for_when_its_report_comes(site: Runtime, entries: Entries) -> None:
    send(site, Carrier(ChannelError("lost", unknown=True)), "ŋ" * 80)
    for state in (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.DELIVERED):
        report(site, "late", state)
    row = entries()["sms", "up"]
    assert (row["number"], row["parts"], row["cost_reported"], row["cost_estimated"]) == (1, 2, 0, 2 * PART)


def test_a_report_that_overtakes_its_receipt_is_corrected_by_it(site: Runtime, entries: Entries) -> None:
    overtaken = Carrier(Receipt("1", "Success", "KES 0.9000", 1), meanwhile=lambda: report(site, "1"))
    number = send(site, overtaken)
    row = entries()["sms", "up"]
    assert (row["number"], row["parts"], row["cost_reported"], row["cost_estimated"]) == (1, 1, 6_976_744, 0)
    with site.db.read() as tx:
        kept = tx.execute(message.select().where(message.c.id == number)).one()
    assert (kept.state, kept.parts, kept.cost) == ("delivered", 1, "KES 0.9000")


def test_whatsapp_has_its_own_price(site: Runtime, entries: Entries) -> None:
    carrier = Carrier(Receipt("wamid", "accepted", parts=1))
    carrier.name = "whatsapp"
    send(site, carrier, kind=Kind.WHATSAPP)
    row = entries()["whatsapp", "up"]
    assert (row["number"], row["parts"], row["cost_estimated"], row["carrier"]) == (1, 1, 0, "whatsapp")


def test_a_placed_call_costs_nothing_before_it_ends(site: Runtime, entries: Entries) -> None:
    carrier = Carrier(Receipt("ATVId_1", "Queued"))
    carrier.name = "africastalking-voice"
    send(site, carrier, kind=Kind.VOICE)
    assert entries() == {}
    for _ in range(3):  # carriers repeat a callback
        answer_call(site, ended("ATVId_1", 90, "KES 4.5000"), step="")
    answer_call(site, ended("ATVId_2", 30, ""), step="")
    answer_call(site, ended("ATVId_3", 0, "KES 0.0000"), step="")
    row = entries()["call", "up"]
    assert (row["number"], row["seconds"], row["carrier"]) == (3, 120, "africastalking")
    assert (row["cost_reported"], row["cost_estimated"]) == (34_883_721, 23_255_814 // 2)


def test_who_rings_us_is_counted_apart(site: Runtime, entries: Entries) -> None:
    answer_call(site, ended("ATVId_9", 0, "", direction="inbound"), step="")
    row = entries()["call", "down"]
    assert (row["number"], row["seconds"], row["cost_estimated"]) == (1, 0, 0)


def test_what_people_send_is_counted_once(site: Runtime, entries: Entries) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=PATIENT, name="Achieng")
    for identity in ("1", "1", "2"):
        receive(site, Inbound("africastalking", Kind.SMS, identity, PATIENT, "", "Habari"))
    row = entries()["sms", "down"]
    assert (row["number"], row["cost_reported"], row["cost_estimated"]) == (2, 0, 0)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("reported", "expected"),
    [("USD 0.01", (10_000_000, 0)), ("", (0, 5)), ("  ", (0, 5)), ("KES", (0, 5)), ("0", (0, 5)), ("KES 0", (0, 0))],
)
def test_the_carrier_wins(reported: str, expected: tuple[int, int]) -> None:
    assert cost(reported, 5) == expected


def ended(session: str, seconds: int, price: str, direction: str = "outbound") -> VoiceEvent:
    return VoiceEvent(session, direction, PATIENT, "+254711082000", False, duration_s=seconds, cost=price)
