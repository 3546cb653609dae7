"""A referral, a year and a missing photograph, each followed to its end by the scheduler, on a clock that tests set."""

from __future__ import annotations

from typing import Any

import pytest
import smsutil
import sqlalchemy as sa
from open_rows import texts
from phones import PATIENT, WORKER, Chat, open_case, reading_of, send_photograph

from flows.catalogue import LANGUAGES, text
from services.channels.base import Kind, Outbound, Receipt
from services.messaging.daytime import is_night, next_morning
from services.messaging.delivery import send_message
from services.messaging.reminders import send_due
from services.runtime import Runtime
from services.screening.cases import visit_for
from services.screening.people import add_worker, opt_out_of, remove_worker
from services.screening.referral import record_answer
from services.screening.results import announce, settle
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.store.clock import DAY_MS, HOUR_MS
from services.store.tables import (
    consent,
    follow_up,
    message,
    outbox,
    photo,
    reading,
    referral,
    retake,
    screening,
)
from tests.services.messaging.conftest import START, Clock


def conclude(site: Runtime, outcome: Any, *, priority: str = "routine") -> None:
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority=priority))
        announce(tx, 1, outcome)


def row(site: Runtime, table: sa.Table, row_id: int = 1) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(table).where(table.c.id == row_id)).one()


def reminders(site: Runtime, to: str = PATIENT) -> list[str]:
    with site.db.read() as tx:
        return texts(tx, message.c.purpose == "reminder", message.c.recipient == to)


def days_of_reminders(site: Runtime, clock: Clock, last: int, *, to: str = PATIENT) -> list[int]:
    """The days on which somebody was written to, when nobody answers."""
    found = []
    for day in range(last + 1):
        clock.after(day)
        before = len(reminders(site, to))
        for _ in range(2):
            send_due(site)
        found += [day] * (len(reminders(site, to)) - before)
    return found


@pytest.mark.parametrize(
    ("hour", "night"), [(0, True), (7, True), (8, False), (12, False), (19, False), (20, True), (23, True)]
)
@pytest.mark.usefixtures("site")
def test_the_night_is_local(hour: int, night: bool) -> None:
    at = START + (hour - 12) * HOUR_MS + 59 * 60_000
    assert is_night(at) == night
    assert next_morning(at) - at <= DAY_MS
    assert not is_night(next_morning(at))
    assert is_night(next_morning(at) - 1)


@pytest.mark.parametrize(
    ("priority", "due", "days", "told"), [("routine", 30, [23, 33, 47], 61), ("urgent", 1, [1, 2, 3], 4)]
)
@pytest.mark.usefixtures("code")
def test_who_never_answers_is_reminded_asked_twice_and_then_visited(
    site: Runtime, clock: Clock, priority: str, due: int, days: list[int], told: int
) -> None:
    conclude(site, "refer", priority=priority)
    opened = row(site, referral)
    assert (opened.state, opened.urgency, opened.due_at) == ("open", priority, START + due * DAY_MS)
    assert days_of_reminders(site, clock, told - 1) == days
    assert (row(site, referral).state, reminders(site, WORKER)) == ("reminded", [])
    assert days_of_reminders(site, clock, told + 40) == []
    assert row(site, referral).state == "not attended"
    assert len(reminders(site, WORKER)) == 1
    assert "please visit the patient" in reminders(site, WORKER)[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_reminders_are_one_sms_and_say_nothing_clinical(
    site: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    clinic = "Kituo cha Afya cha Nyalenda B."
    monkeypatch.setitem(site.settings.__dict__, "clinic", clinic)
    open_case(site, language=language)
    conclude(site, "refer")
    days_of_reminders(site, clock, 40)
    with site.db.write() as tx:
        tx.execute(referral.update().values(state="attended", next_at=None))
        tx.execute(follow_up.insert().values(screening_id=1, state="waiting", due_at=START, next_at=START))
    send_due(site)
    sent = reminders(site)
    assert len(sent) == 3
    for words in sent:
        assert clinic in words
        assert "STOP" in words
        assert smsutil.is_valid_gsm(words)
        assert len(words) <= 160
        for clinical in ("refer", "rufaa", "osiptal", "doctor", "daktari", "daktar", "sign", "dalili", "ranyisi"):
            assert clinical not in words.casefold()


@pytest.mark.usefixtures("code")
def test_nothing_is_sent_at_night_nor_delivered_then(site: Runtime, clock: Clock) -> None:
    conclude(site, "refer")
    clock.after(23.4)  # 21:36 in Nairobi
    assert send_due(site) == 0
    clock.after(23.9)
    assert send_due(site) == 1

    class Carrier:
        name, kinds, sent = "test", frozenset({Kind.SMS}), 0

        def for_kind(self, _kind: Kind) -> Any:
            return self

        def send(self, _message: Outbound) -> Receipt:
            self.sent += 1
            return Receipt("1", "sent")

    carrier = Carrier()
    site.__dict__["channels"] = carrier
    with site.db.read() as tx:
        message_id = tx.execute(sa.select(message.c.id).where(message.c.purpose == "reminder")).scalar_one()
    clock.after(24.4)
    send_message(site, {"message_id": message_id})
    assert carrier.sent == 0
    with site.db.read() as tx:
        later = tx.execute(sa.select(sa.func.max(outbox.c.not_before))).scalar_one()
    assert later == next_morning(clock.now)
    clock.now = later
    send_message(site, {"message_id": message_id})
    assert carrier.sent == 1


def stop(tx: Any) -> None:
    opt_out_of(tx, msisdn=PATIENT, kind="sms")


def no_phone(tx: Any) -> None:
    tx.execute(screening.update().values(patient_msisdn=None))


def phone_of_the_worker(tx: Any) -> None:
    tx.execute(screening.update().values(patient_msisdn=WORKER))


@pytest.mark.parametrize("unreachable", [stop, no_phone, phone_of_the_worker])
def test_whom_no_message_may_reach_a_worker_visits(site: Runtime, clock: Clock, code: str, unreachable: Any) -> None:
    conclude(site, "refer")
    with site.db.write() as tx:
        unreachable(tx)
    assert days_of_reminders(site, clock, 40, to=WORKER) == [33]
    assert reminders(site, WORKER) == [text("en", "visit-worker", code=code, ussd=site.settings.ussd_code)]
    assert reminders(site) == []


def withdrawn(tx: Any) -> None:
    tx.execute(consent.update().values(withdrawn_at=START + 1))


def lost(tx: Any) -> None:
    tx.execute(consent.delete())


@pytest.mark.parametrize("without_consent", [withdrawn, lost])
@pytest.mark.parametrize(("outcome", "table"), [("refer", referral), ("rescreen", follow_up)])
@pytest.mark.usefixtures("code")
def test_without_consent_nobody_is_reminded(
    site: Runtime, clock: Clock, without_consent: Any, outcome: str, table: sa.Table
) -> None:
    conclude(site, outcome)
    with site.db.write() as tx:
        without_consent(tx)
    clock.after(400)
    assert send_due(site) == 1
    assert (row(site, table).state, row(site, table).next_at) == ("closed", None)
    assert reminders(site) == reminders(site, WORKER) == []


@pytest.mark.parametrize(
    ("answers", "state", "answer", "reason", "more"),
    [
        (("1",), "attended", "yes", None, []),
        (("2",), "reminded", "not-yet", None, [(PATIENT, 49), (WORKER, 63)]),
        (("3", "2"), "not attended", "cannot", "distance", [(WORKER, 35)]),
    ],
)
@pytest.mark.usefixtures("code")
def test_did_you_go(
    site: Runtime, clock: Clock, answers: tuple[str, ...], state: str, answer: str, reason: str | None, more: list[Any]
) -> None:
    conclude(site, "refer")
    days_of_reminders(site, clock, 34)
    clock.after(35)
    chat = Chat(site, Kind.SMS, PATIENT)
    said = [chat.write(each).text for each in answers]
    found = row(site, referral)
    assert (found.state, found.answer, found.reason, found.answered_by) == (state, answer, reason, "patient")
    assert said[-1] == text("en", f"visit-{answer}")
    sent = []
    for day in range(35, 100):
        clock.after(day)
        before = {number: len(reminders(site, number)) for number in (PATIENT, WORKER)}
        send_due(site)
        sent += [(number, day) for number in before if len(reminders(site, number)) > before[number]]
    assert sent == more


def test_a_worker_records_by_code_and_nobody_is_asked_again(site: Runtime, clock: Clock, code: str) -> None:
    conclude(site, "refer")
    clock.after(10)
    with site.db.write() as tx:
        found = visit_for(tx, code=code, msisdn=WORKER)
        assert found == {"state": "referral", "id": 1}
        record_answer(tx, referral_id=1, answer="yes", reason=None, by="worker")
        assert visit_for(tx, code=code, msisdn=WORKER)["state"] == "none"
        assert visit_for(tx, code="111112", msisdn=WORKER)["state"] == "unknown"
        assert record_answer(tx, referral_id=1, answer="not-yet", reason=None, by="patient")["state"] == "attended"
    assert days_of_reminders(site, clock, 100) == []


def test_who_took_her_consent_back_may_still_answer(site: Runtime, clock: Clock, code: str) -> None:
    conclude(site, "refer")
    days_of_reminders(site, clock, 33)
    with site.db.write() as tx:
        assert withdraw_consent(tx, code=code, msisdn=PATIENT, by="patient", channel="ussd")["state"] == "done"
    erase_screening(site, {"screening_id": 1, "final": True})
    assert Chat(site, Kind.SMS, PATIENT).write("1").text == text("en", "visit-none")
    assert send_due(site) == 0


@pytest.mark.usefixtures("code")
def test_a_phone_of_two_patients_is_asked_with_the_code(site: Runtime, clock: Clock) -> None:
    conclude(site, "refer")
    second = open_case(site, language="en")
    with site.db.write() as tx:
        announce(tx, 2, "refer")
    clock.after(23)
    assert send_due(site) == 2
    clock.after(33)
    send_due(site)
    assert "six-digit code" in reminders(site)[-1]
    chat = Chat(site, Kind.SMS, PATIENT)
    assert "Did you make the visit" in chat.write(second).text
    chat.write("1")
    assert [row(site, referral, each).state for each in (1, 2)] == ["reminded", "attended"]


@pytest.mark.usefixtures("code")
def test_nobody_is_interrupted(site: Runtime, clock: Clock) -> None:
    conclude(site, "refer")
    days_of_reminders(site, clock, 32)
    clock.after(33)
    Chat(site, Kind.SMS, PATIENT).write("jicho")
    send_due(site)
    assert len(reminders(site)) == 1
    clock.after(33.05)
    send_due(site)
    assert len(reminders(site)) == 2


@pytest.mark.usefixtures("code")
def test_when_the_worker_left_another_is_asked(site: Runtime, clock: Clock) -> None:
    conclude(site, "refer")
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
        no_phone(tx)
    clock.after(34)
    send_due(site)
    assert row(site, referral).state == "open", "nobody is here"
    other = "+254711000077"
    with site.db.write() as tx:
        add_worker(tx, msisdn=other, name="Otieno", language="sw")
    clock.after(35)
    send_due(site)
    assert len(reminders(site, other)) == 1
    assert row(site, referral).state == "not attended"


@pytest.mark.parametrize(("answer", "state"), [("1", "coming"), ("2", "declined")])
@pytest.mark.usefixtures("code")
def test_after_a_year_she_is_invited_once(site: Runtime, clock: Clock, answer: str, state: str) -> None:
    conclude(site, "rescreen")
    clock.after(364)
    assert send_due(site) == 0
    clock.after(365)
    assert [send_due(site), send_due(site)] == [1, 0]
    clock.after(370)
    Chat(site, Kind.SMS, PATIENT).write(answer)
    assert row(site, follow_up).state == state
    clock.after(800)
    assert send_due(site) == 0
    assert len(reminders(site)) == 1


@pytest.mark.usefixtures("code")
def test_who_came_again_is_not_invited_and_who_was_referred_neither(site: Runtime, clock: Clock) -> None:
    conclude(site, "rescreen")
    clock.after(300)
    open_case(site, language="en")
    clock.after(365)
    send_due(site)
    assert row(site, follow_up).state == "came"
    with site.db.write() as tx:
        announce(tx, 2, "rescreen")
        announce(tx, 2, "refer")
    assert row(site, follow_up, 2).state == "referred"
    assert reminders(site) == []


def photograph(site: Runtime, code: str, identity: str, *, gradable: bool | None, eye: str = "left") -> None:
    """One comes; with `gradable` it is read, too."""
    came = send_photograph(site, code, eye, identity)
    if gradable is None:
        return
    outcome = "rescreen" if gradable else "retake"
    with site.db.write() as tx:
        tx.execute(reading.insert().values(reading_of(came, gradable=gradable, outcome=outcome)))
        tx.execute(photo.update().where(photo.c.id == came.id).values(state="read"))
        settle(tx, came, reason="quality-blurred")


def told(site: Runtime, word: str) -> list[str]:
    with site.db.read() as tx:
        return [words for words in texts(tx, message.c.recipient == WORKER) if word in words]


def test_a_missing_retake_is_reminded_once_and_then_referred(site: Runtime, clock: Clock, code: str) -> None:
    photograph(site, code, "1", gradable=False)
    for day, sent in ((0.9, 0), (1, 1), (2, 1), (13.9, 1)):
        clock.after(day)
        send_due(site)
        assert len(told(site, "second photo has not come (it is blurred). Without it within 13 days")) == sent
    assert row(site, screening).outcome is None
    clock.after(14)
    send_due(site)
    assert (row(site, screening).outcome, row(site, retake).state) == ("refer", "expired")
    assert row(site, referral).state == "open"
    assert len(told(site, "No second photo came in 14 days")) == 1


@pytest.mark.parametrize("gradable", [True, False])
def test_a_retake_that_came_is_not_waited_for(site: Runtime, clock: Clock, code: str, gradable: bool) -> None:
    photograph(site, code, "1", gradable=False)
    photograph(site, code, "2", gradable=gradable)
    clock.after(15)
    send_due(site)
    assert row(site, retake).state == "done"
    assert told(site, "second photo has not come") == told(site, "No second photo came") == []
    assert row(site, screening).outcome == (None if gradable else "refer")


def test_a_retake_that_waits_for_power_does_not_expire(site: Runtime, clock: Clock, code: str) -> None:
    photograph(site, code, "1", gradable=False)
    photograph(site, code, "2", gradable=None)
    clock.after(15)
    send_due(site)
    assert row(site, screening).outcome is None
    assert row(site, retake).next_at > clock.now


def test_who_suddenly_lost_sight_is_referred_whatever_the_photographs_show(
    site: Runtime, clock: Clock, code: str
) -> None:
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority="urgent"))
    photograph(site, code, "1", gradable=True)
    photograph(site, code, "2", gradable=True, eye="right")
    assert row(site, screening).outcome == "refer"
    assert row(site, referral).due_at == clock.now + DAY_MS
    assert len(told(site, "sight was lost suddenly: REFER")) == 1
