"""What was begun on one channel goes on on another, once, and leaves no secret behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, Chat, Ussd, Voice, decide, open_case

from flows.catalogue import text
from flows.render_chat import Reply
from flows.render_voice import VoiceStep
from flows.sessions import unfinished
from services.channels.base import Kind
from services.runtime import Runtime
from services.screening.people import remove_worker
from services.store.tables import conversation, risk_assessment, screening

Clinic = Callable[[str], Runtime]
OPENING = ("1", "1", "1961", "0722000002", "1", "98", "1", "2")
CHANNELS = ["ussd", "sms", "whatsapp", "voice"]


class Phone:
    """One person on any channel; `begin` is what she does first there."""

    def __init__(self, site: Runtime, channel: str, number: str) -> None:
        self.channel, self.number = channel, number
        self.hands: Ussd | Chat | Voice
        if channel == "ussd":
            self.hands = Ussd(site, number)
        elif channel == "voice":
            self.hands = Voice(site, number, session=f"ATVId_{number}", direction="inbound")
        else:
            self.hands = Chat(site, Kind(channel), number)

    def begin(self) -> str:
        if isinstance(self.hands, Ussd):
            return self.hands.dial()
        return self.answer("jicho")

    def answer(self, typed: str) -> str:
        if isinstance(self.hands, Ussd):
            return self.hands.press(typed)
        if isinstance(self.hands, Voice):
            return _heard(self.hands.event(None if typed == "jicho" else typed))
        return _read(self.hands.write(typed))

    def asks(self, screen: str, message_id: str) -> bool:
        words = text("en", message_id)
        return words[:50] in screen.replace("\n", " ") or words in screen


def _heard(step: VoiceStep) -> str:
    return "\n".join(step.texts)


def _read(reply: Reply) -> str:
    return "\n".join([reply.text, *(label for _, label in reply.buttons)])


@pytest.mark.parametrize(
    ("first", "second"), [(one, other) for one in ("ussd", "sms", "whatsapp") for other in CHANNELS if other != one]
)
def test_a_screening_begun_on_one_channel_is_opened_on_another(clinic: Clinic, first: str, second: str) -> None:
    site = clinic("en")
    one, other = Phone(site, first, WORKER), Phone(site, second, WORKER)
    one.begin()
    for answer in OPENING[:3]:
        asked = one.answer(answer)
    assert one.asks(asked, "ask-patient-phone")
    assert other.asks(other.begin(), "ask-resume")
    assert other.asks(other.answer("1"), "ask-patient-phone")
    said = ""
    for answer in OPENING[3:]:
        if answer != "98" or text("en", "ussd-more") in said.splitlines():
            said = other.answer(answer)
    assert "Code: " in said
    with site.db.read() as tx:
        assert tx.execute(sa.select(screening.c.birth_year)).all() == [(1961,)]


@pytest.mark.parametrize("first", ["sms", "whatsapp"])
def test_what_moved_is_over_where_it_came_from(clinic: Clinic, first: str) -> None:
    site = clinic("en")
    chat, phone = Phone(site, first, WORKER), Phone(site, "ussd", WORKER)
    chat.begin()
    chat.answer("1")
    phone.begin()
    phone.answer("1")
    phone.answer("1")
    # The answer to the question that moved away is no answer there any more: it is asked whether to take it back.
    assert chat.asks(chat.answer("2"), "ask-resume")
    assert chat.asks(chat.answer("1"), "ask-birth-year")
    assert phone.asks(phone.answer("1961"), "moved")
    assert phone.begin() != ""
    with site.db.read() as tx:
        states = tx.execute(sa.select(conversation.c.state).where(conversation.c.flow == "menu")).scalars().all()
    assert states.count("active") <= 1


def test_an_offer_that_nobody_answers_changes_nothing(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Phone(site, "ussd", WORKER), Phone(site, "sms", WORKER)
    phone.begin()
    phone.answer("1")
    for _ in range(2):
        assert chat.asks(chat.answer("jicho"), "ask-resume")
    assert phone.asks(phone.answer("1"), "ask-birth-year")


def test_who_starts_again_is_not_asked_about_it_any_more(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Phone(site, "ussd", WORKER), Phone(site, "sms", WORKER)
    phone.begin()
    phone.answer("1")
    chat.begin()
    assert chat.answer("2").startswith("Jicho: Achieng")
    assert phone.begin().startswith("CON Jicho: Achieng")


def test_an_answer_that_is_none_is_asked_again(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Phone(site, "ussd", WORKER), Phone(site, "sms", WORKER)
    phone.begin()
    phone.answer("1")
    chat.begin()
    assert chat.asks(chat.answer("7"), "ask-resume")
    assert chat.asks(chat.answer("continue"), "ask-sex")


@pytest.mark.parametrize("second", ["ussd", "sms"])
def test_a_code_that_was_typed_is_typed_again(clinic: Clinic, second: str) -> None:
    site = clinic("en")
    code = open_case(site)
    decide(site, code, "refer")
    call = Phone(site, "voice", PATIENT)
    call.begin()
    call.answer("1")
    assert "signs" in call.answer(code)
    phone = Phone(site, second, PATIENT)
    assert phone.asks(phone.begin(), "ask-resume")
    said = phone.answer("1")
    assert phone.asks(said, "ask-result-code")
    assert "signs" not in said


def test_what_was_begun_where_nothing_stays_says_so_where_it_does(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Phone(site, "ussd", PATIENT), Phone(site, "sms", PATIENT)
    phone.begin()
    for answer in ("5", "98", "1", "2", "50"):
        phone.answer(answer)
    chat.begin()
    said = chat.answer("1")
    assert text("en", "moved-kept", ussd="*384*77#") in said
    for answer in ("1", "160", "72", "90", "1", "2", "2", "2", "3"):
        said = chat.answer(answer)
    assert chat.asks(said, "ask-risk-call")
    assert "risk" not in said.casefold()
    with site.db.read() as tx:
        rows = tx.execute(sa.select(risk_assessment.c.channel, risk_assessment.c.points)).all()
    assert rows == [("sms", 13)]


def test_what_was_done_is_not_done_again_elsewhere(clinic: Clinic) -> None:
    site = clinic("en")
    chat, phone = Phone(site, "sms", PATIENT), Phone(site, "ussd", PATIENT)
    for answer in ("risk", "98", "1", "2", "50", "1", "160", "72", "90", "1", "2", "2", "2", "3"):
        said = chat.answer(answer)
    assert chat.asks(said, "ask-risk-call")
    assert phone.asks(phone.begin(), "ask-resume")
    assert "13 of 26 points" in phone.answer("1")
    with site.db.read() as tx:
        assert len(tx.execute(sa.select(risk_assessment.c.id)).all()) == 1


def test_who_is_no_worker_any_more_goes_on_nowhere(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Phone(site, "ussd", WORKER), Phone(site, "sms", WORKER)
    phone.begin()
    for answer in OPENING[:3]:
        phone.answer(answer)
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    chat.begin()
    assert chat.answer("1").startswith("Jicho: eye check")


def test_another_number_is_offered_nothing(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Phone(site, "ussd", WORKER)
    phone.begin()
    phone.answer("1")
    stranger = Phone(site, "sms", PATIENT)
    assert not stranger.asks(stranger.begin(), "ask-resume")


def test_a_call_that_was_placed_for_something_asks_nothing_else(clinic: Clinic) -> None:
    site = clinic("en")
    phone = Phone(site, "ussd", PATIENT)
    phone.begin()
    phone.answer("4")
    call = Voice(site, PATIENT)
    assert call.event().texts[0] == text("en", "call-ready")


def test_looking_for_it_reads_unfinished_conversations_only(clinic: Clinic) -> None:
    site = clinic("en")
    looked: list[tuple[str, object]] = []
    sa.event.listen(site.db.engine, "before_cursor_execute", lambda *args: looked.append((args[2], args[3])))
    with site.db.read() as tx:
        unfinished(tx, WORKER)
    (query, values) = looked[-1]
    with site.db.read() as tx:
        plan = [str(row) for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
    assert "ix_conversation_active" in plan[0]
    assert not any("SCAN" in step for step in plan)
