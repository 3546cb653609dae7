"""A reminder that fails for good: a call, then the health worker; and what the state says meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import texts
from phones import PATIENT, WORKER, Voice, open_another

from flows.catalogue import text
from services.calls.dialogue import answer_call
from services.channels.base import (
    ChannelError,
    DeliveryReport,
    DeliveryState,
    Kind,
    Outbound,
    Receipt,
    VoiceEvent,
)
from services.messaging.delivery import record_report, send_message
from services.messaging.reminders import send_due
from services.messaging.unreached import reach_otherwise
from services.runtime import Runtime
from services.screening.follow_up import INTERVAL_DAYS
from services.screening.people import opt_out_of
from services.screening.results import announce
from services.screening.withdrawal import withdraw_consent
from services.store.tables import conversation, follow_up, message, outbox, referral
from tests.services.messaging.conftest import Clock

CLINIC = "+254711082000"


class Carrier:
    """Takes a message, or refuses it."""

    name, kinds = "test", frozenset({Kind.SMS, Kind.VOICE})

    def __init__(self) -> None:
        self.refuses: set[Kind] = set()
        self.taken: list[Outbound] = []

    def send(self, outbound: Outbound) -> Receipt:
        if outbound.kind in self.refuses:
            raise ChannelError("403 InvalidPhoneNumber", permanent=True)
        self.taken.append(outbound)
        return Receipt(f"id-{outbound.reference}", "Queued")

    def for_kind(self, _kind: Kind) -> Carrier:
        return self


@pytest.fixture
def carrier(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    found = Carrier()
    monkeypatch.setattr(type(site), "channels", found)
    return found


def work(site: Runtime) -> None:
    """What the workers do, until nothing is left; a call's audio is taken as rendered."""
    while True:
        with site.db.write() as tx:
            tasks = ("send_message", "reach_otherwise", "prepare_call")
            row = tx.execute(sa.select(outbox).where(outbox.c.task.in_(tasks), outbox.c.not_before == 0)).first()
            if row is None:
                return
            tx.execute(outbox.delete().where(outbox.c.id == row.id))
        if row.task == "reach_otherwise":
            for _ in range(2):  # may run twice with one effect
                reach_otherwise(site, row.argument)
        else:
            send_message(site, row.argument)


def refer(site: Runtime, screening_id: int = 1, outcome: Any = "refer") -> None:
    with site.db.write() as tx:
        announce(tx, screening_id, outcome)
        tx.execute(outbox.delete())  # what this tells is none of these tests


def day(site: Runtime, clock: Clock, number: float) -> None:
    clock.after(number)
    send_due(site)
    work(site)


def state_of(site: Runtime, table: sa.Table) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(table)).one()


def told(site: Runtime, to: str, kind: Kind = Kind.SMS) -> list[str]:
    with site.db.read() as tx:
        which = (
            message.c.recipient == to,
            message.c.kind == kind.value,
            message.c.purpose.in_(("reminder", "visit-call")),
        )
        return texts(tx, *which)


def call_ends(site: Runtime, *, answered: bool) -> None:
    event = VoiceEvent(session(site), "outbound", PATIENT, CLINIC, False, duration_s=20 if answered else 0)
    answer_call(site, event, step="")


def session(site: Runtime) -> str:
    with site.db.read() as tx:
        which = sa.select(message.c.provider_id).where(message.c.purpose == "visit-call")
        found: str = tx.execute(which.order_by(message.c.id.desc()).limit(1)).scalar_one()
    return found


@pytest.mark.usefixtures("code")
@pytest.mark.parametrize("how", ["refused", "undelivered", "expired"])
def test_a_reminder_that_fails_is_no_reminder_and_becomes_a_call(
    site: Runtime, clock: Clock, carrier: Carrier, how: str
) -> None:
    refer(site)
    if how == "refused":
        carrier.refuses = {Kind.SMS}
    clock.after(23)
    send_due(site)
    if how == "expired":
        clock.after(27)
    work(site)
    if how == "undelivered":
        sent = state_of(site, referral)
        assert (sent.state, sent.messages) == ("reminded", 1)
        reference = carrier.taken[-1].reference
        for _ in range(2):
            with site.db.write() as tx:
                record_report(tx, DeliveryReport("test", f"id-{reference}", DeliveryState.FAILED, "Failed"))
        work(site)
    lost = state_of(site, referral)
    assert (lost.state, lost.messages) == ("unreached", 0)
    assert len(told(site, PATIENT, Kind.VOICE)) == 1
    assert told(site, WORKER) == []


@pytest.mark.usefixtures("code")
def test_a_call_that_is_picked_up_asks_and_counts(site: Runtime, clock: Clock, carrier: Carrier) -> None:
    refer(site)
    carrier.refuses = {Kind.SMS}
    day(site, clock, 23)
    phone = Voice(site, session=session(site))
    asked = phone.event()
    assert asked.texts[:2] == (text("en", "call-clinic", clinic="Jicho"), text("en", "ask-visit"))
    reached = state_of(site, referral)
    assert (reached.state, reached.messages) == ("reminded", 2)
    assert phone.event("1").texts == (text("en", "visit-yes"),)
    call_ends(site, answered=True)
    work(site)
    went = state_of(site, referral)
    assert (went.state, went.answered_by, went.next_at) == ("attended", "patient", None)
    assert told(site, WORKER) == []


@pytest.mark.usefixtures("code")
def test_nobody_picks_up_three_times_and_the_health_worker_is_told_when_it_would_be_asked(
    site: Runtime, clock: Clock, carrier: Carrier
) -> None:
    refer(site)
    carrier.refuses = {Kind.SMS}
    day(site, clock, 23)
    for ring in range(3):
        with site.db.write() as tx:
            tx.execute(outbox.update().values(not_before=0))
        work(site)
        assert len(carrier.taken) == ring + 1
        call_ends(site, answered=False)
    work(site)
    assert (state_of(site, referral).state, told(site, WORKER)) == ("unreached", [])
    carrier.refuses = set()
    day(site, clock, 32)
    assert told(site, WORKER) == []
    day(site, clock, 33)
    assert state_of(site, referral).state == "not attended"
    assert ["please visit" in words for words in told(site, WORKER)] == [True]
    assert len(told(site, PATIENT)) == 1, "no second SMS to a phone that takes none"


@pytest.mark.usefixtures("code", "carrier")
@pytest.mark.parametrize("stopped", [Kind.SMS, Kind.VOICE])
def test_who_said_stop_is_left_to_the_health_worker(
    site: Runtime, clock: Clock, carrier: Carrier, stopped: Kind
) -> None:
    refer(site)
    clock.after(23)
    send_due(site)
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=PATIENT, kind=stopped)
    carrier.refuses = {Kind.SMS}
    work(site)
    assert (state_of(site, referral).state, told(site, PATIENT, Kind.VOICE)) == ("unreached", [])
    carrier.refuses = set()
    day(site, clock, 33)
    assert len(told(site, WORKER)) == 1


@pytest.mark.usefixtures("carrier")
def test_nobody_is_called_after_her_consent_was_taken_back(site: Runtime, clock: Clock, code: str) -> None:
    refer(site)
    clock.after(23)
    send_due(site)
    with site.db.write() as tx:
        withdraw_consent(tx, code=code, msisdn=PATIENT, by="patient", channel="ussd")
    work(site)
    assert told(site, PATIENT, Kind.VOICE) == []


@pytest.mark.usefixtures("code")
def test_a_question_that_never_arrived_waits_for_no_answer(site: Runtime, clock: Clock, carrier: Carrier) -> None:
    refer(site)
    day(site, clock, 23)
    carrier.refuses = {Kind.SMS}
    day(site, clock, 33)
    with site.db.read() as tx:
        states = tx.execute(sa.select(conversation.c.state).where(conversation.c.flow == "attended")).scalars().all()
    assert states == ["ended"]
    lost = state_of(site, referral)
    assert (lost.state, lost.messages) == ("unreached", 1)


@pytest.mark.usefixtures("code")
def test_where_several_share_a_phone_the_call_asks_for_the_code(site: Runtime, clock: Clock, carrier: Carrier) -> None:
    other = open_another(site)
    refer(site)
    refer(site, 2)
    carrier.refuses = {Kind.SMS}
    day(site, clock, 23)
    phone = Voice(site, session=session(site))
    said = [text("en", "call-clinic", clinic="Jicho"), text("en", "visit-asked"), text("en", "ask-visit-code-voice")]
    assert list(phone.event().texts[:3]) == said
    assert phone.event(other).texts[0] == text("en", "ask-visit")


@pytest.mark.usefixtures("code")
@pytest.mark.parametrize("picks_up", [True, False])
def test_an_invitation_that_fails_becomes_a_call_and_then_the_worker_s(
    site: Runtime, clock: Clock, carrier: Carrier, picks_up: bool
) -> None:
    refer(site, outcome="rescreen")
    carrier.refuses = {Kind.SMS}
    day(site, clock, INTERVAL_DAYS)
    assert (state_of(site, follow_up).state, state_of(site, follow_up).invited_at) == ("unreached", None)
    if picks_up:
        phone = Voice(site, session=session(site))
        assert phone.event().texts[1] == text("en", "ask-follow-up", clinic="Jicho")
        assert state_of(site, follow_up).state == "invited"
        phone.event("1")
        assert state_of(site, follow_up).state == "coming"
    else:
        carrier.refuses = set()
        for later in (2, 3):
            day(site, clock, INTERVAL_DAYS + later)
        assert state_of(site, follow_up).state == "unreached"
    assert len(told(site, WORKER)) == (0 if picks_up else 1)


@pytest.mark.usefixtures("code")
def test_a_health_worker_who_was_not_reached_was_not_told(site: Runtime, clock: Clock, carrier: Carrier) -> None:
    refer(site)
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=PATIENT, kind=Kind.SMS)
    carrier.refuses = {Kind.SMS}
    for number in (23, 33):
        day(site, clock, number)
    assert len(told(site, WORKER)) == 1
    lost = state_of(site, referral)
    assert (lost.state, lost.worker_told_at) == ("unreached", None)
