"""Messages handed to a real stand-in carrier over real sockets: states, retries, unknown outcomes, STOP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from services.bench.stack import free_port
from services.channels.base import DeliveryReport, DeliveryState, Kind, Receipt
from services.channels.registry import Channels, simulator_config
from services.channels.simulator import create_simulator
from services.messaging.delivery import record_late_receipt, record_report, send_message, settle_unknown
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.people import opt_in_to, opt_out_of
from services.store.clock import HOUR_MS, now_ms
from services.store.sealing import carrier_token
from services.store.tables import message, outbox

PATIENT = "+254722000002"


class Carrier:
    """The stand-in, and what it took."""

    def __init__(self, site: Runtime) -> None:
        port = free_port()
        # Its callbacks go nowhere: these tests report what became of a message themselves.
        settings = site.settings.model_copy(update={"simulator_port": port, "public_url": "http://127.0.0.1:9"})
        config = replace(simulator_config(settings), own_url=f"http://127.0.0.1:{port}")
        self.application = create_simulator(config)
        self.server = make_server("127.0.0.1", port, self.application, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        base = {"at_base_url": config.own_url, "whatsapp_base_url": f"{config.own_url}/v23.0"}
        site.channels = Channels(site.settings.model_copy(update=base))

    def fault(self, **faults: int) -> None:
        self.application.test_client().post("/phone/api/faults", json=faults)

    def taken(self) -> list[str]:
        entries = self.application.test_client().get("/phone/api/ledger").get_json()["entries"]
        return [entry.get("text") or entry["kind"] for entry in entries]


@pytest.fixture
def carrier(site: Runtime) -> Iterator[Carrier]:
    found = Carrier(site)
    yield found
    found.server.shutdown()


def write(
    site: Runtime, text: str = "Karibu", *, kind: Kind = Kind.SMS, purpose: str = "result", useful_ms: int = HOUR_MS
) -> int:
    with site.db.write() as tx:
        found = post(tx, kind, PATIENT, text, key=text, purpose=purpose, language="sw", useful_ms=useful_ms)
    assert found is not None
    return found


def state(site: Runtime, message_id: int) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(message).where(message.c.id == message_id)).one()


def attempts(site: Runtime) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(outbox).where(outbox.c.task == "send_message").order_by(outbox.c.id)))


@pytest.mark.usefixtures("carrier")
def test_sent_reported_delivered(site: Runtime) -> None:
    number = write(site, "a" * 200)
    send_message(site, {"message_id": number})
    row = state(site, number)
    assert (row.state, row.parts, row.cost, row.carrier) == ("sent", 2, "KES 1.6000", "africastalking-sms")
    report = DeliveryReport("africastalking-sms", row.provider_id, DeliveryState.DELIVERED, "Success")
    with site.db.write() as tx:
        assert record_report(tx, report)
    assert state(site, number).state == "delivered"


def test_a_job_that_runs_twice_sends_once(site: Runtime, carrier: Carrier) -> None:
    number = write(site)
    for _ in range(3):
        send_message(site, {"message_id": number})
    assert carrier.taken() == ["Karibu"]


@pytest.mark.parametrize(("fault", "least_wait_ms"), [("sms_500", 4_000), ("sms_no_airtime", 1_700_000)])
def test_trouble_is_tried_again_later(site: Runtime, carrier: Carrier, fault: str, least_wait_ms: int) -> None:
    number = write(site)
    carrier.fault(**{fault: 1})
    send_message(site, {"message_id": number})
    assert state(site, number).state == "pending"
    assert carrier.taken() == []
    again = attempts(site)[-1]
    assert again.not_before - now_ms() > least_wait_ms
    send_message(site, {"message_id": number})
    assert state(site, number).state == "sent"


def test_it_is_given_up_at_last(site: Runtime, carrier: Carrier) -> None:
    number = write(site)
    carrier.fault(sms_500=99)
    for _ in range(12):
        send_message(site, {"message_id": number})
    assert state(site, number).state == "failed"
    assert len(attempts(site)) == 12


def test_a_lost_answer_is_unknown_and_never_sent_again(site: Runtime, carrier: Carrier) -> None:
    number = write(site)
    carrier.fault(sms_silent=1)
    send_message(site, {"message_id": number})
    assert state(site, number).state == "unknown"
    send_message(site, {"message_id": number})
    assert carrier.taken() == ["Karibu"]
    # The carrier's report, with an id that was lost with the answer, settles it.
    report = DeliveryReport("africastalking-sms", "ATXid_lost", DeliveryState.DELIVERED, "Success")
    with site.db.write() as tx:
        assert record_report(tx, report, recipient=PATIENT)
    assert (state(site, number).state, state(site, number).provider_id) == ("delivered", carrier_token("ATXid_lost"))


def test_another_carriers_report_does_not_settle_it(site: Runtime, carrier: Carrier) -> None:
    number = write(site)
    carrier.fault(sms_silent=1)
    send_message(site, {"message_id": number})
    report = DeliveryReport("modem", "1", DeliveryState.DELIVERED, "0")
    with site.db.write() as tx:
        assert not record_report(tx, report, recipient=PATIENT)
    assert state(site, number).state == "unknown"


def test_a_receipt_that_came_after_its_asker_died_settles_it_once(site: Runtime) -> None:
    number = write(site)
    receipt = Receipt("a1", "sent", parts=1)
    with site.db.write() as tx:
        tx.execute(message.update().values(state="unknown"))
        record_late_receipt(tx, str(number), receipt, "modem")
        record_late_receipt(tx, str(number), replace(receipt, provider_id="b2"), "modem")
        assert not record_report(tx, DeliveryReport("smpp", "a1", DeliveryState.DELIVERED, "0"), recipient="")
        assert record_report(tx, DeliveryReport("modem", "a1", DeliveryState.DELIVERED, "0"))
    row = state(site, number)
    assert (row.state, row.carrier, row.parts) == ("delivered", "modem", 1)


def test_a_process_that_died_while_sending_leaves_it_unknown(site: Runtime) -> None:
    number = write(site)
    with site.db.write() as tx:
        tx.execute(message.update().values(state="sending", sent_at=now_ms() - 1000))
        assert settle_unknown(tx) == 0, "the call may still be running"
        assert settle_unknown(tx, older_than_ms=500) == 1
    assert state(site, number).state == "unknown"


def test_no_carrier_is_tried_again(site: Runtime) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    site.channels = Channels(site.settings.model_copy(update={"at_base_url": nowhere}))
    number = write(site)
    send_message(site, {"message_id": number})
    assert state(site, number).state == "pending"


def test_stop_holds_back_what_nobody_asked_for(site: Runtime, carrier: Carrier) -> None:
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=PATIENT, kind="sms")
    unasked, reply = write(site, "unasked"), write(site, "reply", purpose="reply")
    for number in (unasked, reply):
        send_message(site, {"message_id": number})
    assert (state(site, unasked).state, state(site, unasked).reason) == ("failed", "the recipient said STOP")
    assert carrier.taken() == ["reply"]
    with site.db.write() as tx:
        opt_in_to(tx, msisdn=PATIENT, kind="sms")
    later = write(site, "later")
    send_message(site, {"message_id": later})
    assert carrier.taken() == ["reply", "later"]


def test_an_old_message_is_not_sent(site: Runtime, carrier: Carrier) -> None:
    number = write(site, useful_ms=-1)
    send_message(site, {"message_id": number})
    assert state(site, number).state == "expired"
    assert carrier.taken() == []


def test_a_call_that_cannot_be_placed_is_tried_again(site: Runtime, carrier: Carrier) -> None:
    number = write(site, "call", kind=Kind.VOICE)
    carrier.fault(call_no_airtime=1)
    send_message(site, {"message_id": number})
    assert state(site, number).state == "pending"
    send_message(site, {"message_id": number})
    assert (state(site, number).state, carrier.taken()) == ("sent", ["call"])


@pytest.mark.usefixtures("carrier")
def test_whatsapp_goes_to_its_own_carrier(site: Runtime) -> None:
    number = write(site, kind=Kind.WHATSAPP)
    send_message(site, {"message_id": number})
    assert (state(site, number).state, state(site, number).carrier) == ("sent", "whatsapp")


@pytest.mark.usefixtures("carrier")
def test_reports_of_strangers_and_late_ones_change_nothing(site: Runtime) -> None:
    number = write(site)
    send_message(site, {"message_id": number})
    identity = state(site, number).provider_id
    with site.db.write() as tx:
        assert not record_report(tx, DeliveryReport("africastalking-sms", "other", DeliveryState.FAILED, "Failed"))
        record_report(tx, DeliveryReport("africastalking-sms", identity, None, "Weird"))
        assert tx.execute(sa.select(message.c.state)).scalar_one() == "sent"
        record_report(tx, DeliveryReport("africastalking-sms", identity, DeliveryState.DELIVERED, "Success"))
        record_report(tx, DeliveryReport("africastalking-sms", identity, DeliveryState.SENT, "Sent"))
    assert state(site, number).state == "delivered"
