"""SMS, WhatsApp and picture messages: one reply to each at most, and no photograph lost or given to a stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from open_rows import change_conversation, messages
from phones import PATIENT, WORKER, Chat, Ussd, decide, open_another

from flows.catalogue import text
from flows.chat import chat_turn
from flows.render_chat import Reply
from services.channels.base import Inbound, Kind, Media
from services.runtime import Runtime
from services.screening.codes import code_of
from services.screening.people import has_opted_out
from services.store import clock
from services.store.tables import message, photo, screening

Clinic = Callable[[str], Runtime]
NO_CODE = "100009"


def photos(site: Runtime) -> list[tuple[str | None, str | None]]:
    """`(code, eye)` of every photograph, in the order in which they came."""
    joined = sa.outerjoin(photo, screening, photo.c.screening_id == screening.c.id)
    with site.db.read() as tx:
        rows = tx.execute(sa.select(screening, photo.c.eye).select_from(joined).order_by(photo.c.id))
        return [(code_of(row) if row.code else None, row.eye) for row in rows]


def send(site: Runtime, words: str, *, sender: str = PATIENT, kind: Kind = Kind.SMS, number: int = 1) -> list[Reply]:
    with site.db.write() as tx:
        return chat_turn(tx, Inbound("test", kind, f"{words}-{number}", sender, "", words))


def test_photographs_queue_and_each_is_asked_about(clinic: Clinic) -> None:
    site = clinic("en")
    code, chat = open_another(site), Chat(site, Kind.WHATSAPP)
    chat.write("", photos=1)
    chat.write("", photos=1)
    chat.write("", photos=1)
    for answer in (code, "left", "right"):
        said = chat.write(answer)
    assert text("en", "photo-which", number=3, count=3) in said.text
    chat.write("2")
    assert photos(site) == [(code, "left"), (code, "right"), (code, "right")]


def test_a_captioned_photograph_overtakes_those_that_wait_and_loses_none(clinic: Clinic) -> None:
    site = clinic("en")
    mine, other = open_another(site), open_another(site)
    chat = Chat(site, Kind.WHATSAPP)
    chat.write("", photos=1)
    chat.write(f"{other} R", photos=1)
    assert photos(site) == [(None, None), (other, "right")]
    # The first one is asked for its own code: it need not be of the same patient.
    chat.write(mine)
    chat.write("left")
    assert photos(site) == [(mine, "left"), (other, "right")]


def test_a_photograph_with_a_wrong_code_still_waits_when_another_overtakes_it(clinic: Clinic) -> None:
    site = clinic("en")
    mine, other = open_another(site), open_another(site)
    chat = Chat(site, Kind.WHATSAPP)
    for words in ("", NO_CODE, "left"):
        chat.write(words, photos=1 if not words else 0)
    chat.write(f"{other} R", photos=1)
    chat.write(mine)
    chat.write("left")
    assert photos(site) == [(mine, "left"), (other, "right")]


def test_photographs_of_an_older_release_are_left_alone(clinic: Clinic) -> None:
    site = clinic("en")
    chat = Chat(site, Kind.WHATSAPP)
    chat.write("", photos=1)
    with site.db.write() as tx:
        change_conversation(tx, arguments={"photo_id": 1})
    assert chat.write("hello").text.startswith("Jicho")


def test_two_in_one_message_are_of_the_same_patient(clinic: Clinic) -> None:
    site = clinic("en")
    code, chat = open_another(site), Chat(site, Kind.WHATSAPP)
    chat.write(f"{code} left", photos=2)
    chat.write("", choice="right")
    assert photos(site) == [(code, "left"), (code, "right")]


def test_a_code_typed_for_one_patient_is_not_used_for_a_photograph_that_comes_later(clinic: Clinic) -> None:
    site = clinic("en")
    code, chat = open_another(site), Chat(site, Kind.WHATSAPP)
    chat.write("", photos=1)
    chat.write(code)
    chat.write("left")
    assert chat.write("", photos=1).text == text("en", "ask-photo-code")


def test_a_wrong_code_is_asked_again_and_then_given_up(clinic: Clinic) -> None:
    site = clinic("en")
    code, chat = open_another(site), Chat(site, Kind.WHATSAPP)
    chat.write(f"{NO_CODE} L", photos=1)
    assert chat.write(code).text == text("en", "photo-queued", code=code, eye="left")
    chat.write(f"{NO_CODE} L", photos=1)
    chat.write(NO_CODE)
    assert text("en", "photo-code-help") in chat.write(NO_CODE).text
    assert photos(site) == [(code, "left"), (None, None)]


def test_the_answer_to_a_picture_message_goes_by_sms(clinic: Clinic) -> None:
    site = clinic("en")
    code = open_another(site)
    chat = Chat(site, Kind.SMS)
    assert chat.write("", photos=1, kind=Kind.MMS).buttons == ()
    chat.write(code)
    chat.write("right")
    assert photos(site) == [(code, "right")]


@pytest.mark.parametrize("kind", [Kind.SMS, Kind.WHATSAPP])
@pytest.mark.parametrize(
    "word",
    ["STOP", "stop.", "Stop!!", " Acha ", "SIMAMISHA!", "weo", "Wene", "ＳＴＯＰ", "«stop»", "Acha Jicho", "Sitaki"],
)
def test_stop_and_start_hold_for_one_number_and_one_kind_of_message(clinic: Clinic, word: str, kind: Kind) -> None:
    site = clinic("sw")
    other = Kind.WHATSAPP if kind is Kind.SMS else Kind.SMS
    (reply,) = send(site, word, kind=kind)
    assert reply.text.startswith(text("sw", "stopped", code="*")[:30])
    with site.db.read() as tx:
        assert has_opted_out(tx, msisdn=PATIENT, kind=kind)
        assert not has_opted_out(tx, msisdn=PATIENT, kind=other)
        assert not has_opted_out(tx, msisdn=WORKER, kind=kind)
    (reply,) = send(site, "ANZA", kind=kind)
    assert reply.text == text("sw", "started")
    with site.db.read() as tx:
        assert not has_opted_out(tx, msisdn=PATIENT, kind=kind)


@pytest.mark.parametrize("words", ["stop smoking", "I will stop", "nonstop", "please", "sitaki kuacha"])
def test_a_sentence_with_the_word_in_it_is_no_stop(clinic: Clinic, words: str) -> None:
    site = clinic("en")
    send(site, words)
    with site.db.read() as tx:
        assert not has_opted_out(tx, msisdn=PATIENT, kind="sms")


def test_a_stop_is_confirmed_once_on_each_channel(clinic: Clinic) -> None:
    site = clinic("en")
    assert [len(send(site, "STOP", number=number)) for number in range(3)] == [1, 0, 0]
    assert len(send(site, "STOP", kind=Kind.WHATSAPP)) == 1
    assert [len(send(site, "START", number=1)), len(send(site, "STOP", number=9))] == [1, 1]


def test_who_never_stopped_begins_with_start(clinic: Clinic) -> None:
    assert send(clinic("en"), "START")[0].text.startswith("Jicho")


@pytest.mark.parametrize("talking", [True, False])
def test_a_voice_note_is_answered_that_nobody_heard_it(clinic: Clinic, talking: bool) -> None:
    site = clinic("en")
    chat = Chat(site, Kind.WHATSAPP, PATIENT)
    asked = chat.write("jicho").text if talking else ""
    note = Inbound("test", Kind.WHATSAPP, "n", PATIENT, "", "", media=(Media("audio/ogg; codecs=opus", locator="1"),))
    with site.db.write() as tx:
        (reply,) = chat_turn(tx, note)
    assert reply.text.startswith(text("en", "voice-note-unheard"))
    assert reply.text.endswith(asked or "Jicho: eye check")
    assert text("en", "ask-result-code") in chat.write("1").text


@pytest.mark.parametrize("kind", [Kind.SMS, Kind.WHATSAPP])
@pytest.mark.parametrize("outcome", ["refer", "rescreen"])
def test_a_patient_gets_no_verdict_in_writing(clinic: Clinic, kind: Kind, outcome: str) -> None:
    site = clinic("en")
    code = open_another(site)
    decide(site, code, outcome)
    chat = Chat(site, kind, PATIENT)
    said = [chat.write(words).text for words in ("jicho", "1", code, "1")]
    verdict = text("en", f"result-{outcome}", place="")
    assert not any(verdict[:25] in words for words in said)
    assert said[-1] == text("en", "call-calling")
    with site.db.read() as tx:
        assert [(row.kind, row.recipient) for row in messages(tx)] == [("voice", PATIENT)]


def test_who_has_no_number_is_told_to_dial(clinic: Clinic) -> None:
    site = clinic("sw")
    code = open_another(site)
    decide(site, code, "refer")
    hidden = Chat(site, Kind.WHATSAPP, "US.1234abcd")
    for menu_key in ("1", "2"):
        hidden.write("jicho")
        if menu_key == "1":
            hidden.write("3")
        hidden.write(menu_key)
        assert "*384*77#" in hidden.write(code).text
    with site.db.read() as tx:
        assert tx.execute(sa.select(message.c.id)).all() == []


def test_a_worker_reads_the_result(clinic: Clinic) -> None:
    site = clinic("en")
    code = open_another(site)
    decide(site, code, "refer")
    chat = Chat(site, Kind.WHATSAPP)
    said = [chat.write(words).text for words in ("hi", "2", code)][-1]
    assert said.startswith("The check found signs")


def test_a_machine_that_answers_our_answers_is_left_alone(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    site = clinic("en")
    said = [send(site, "I am away until Monday", number=number) for number in range(12)]
    answered = [reply[0].text for reply in said if reply]
    assert answered[-1] == text("en", "chat-help")
    assert len(answered) == 5
    assert send(site, "JICHO")[0].text.startswith("Jicho")
    for number in range(20, 32):
        send(site, "I am away until Monday", number=number)
    assert send(site, "hello", number=99) == []
    later = clock.now_ms() + clock.HOUR_MS + 1
    monkeypatch.setattr("flows.chat.now_ms", lambda: later)
    assert send(site, "hello", number=100)[0].text.startswith("Jicho")


def test_an_old_conversation_is_not_gone_on_with(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    site = clinic("en")
    chat = Chat(site, Kind.SMS)
    chat.write("jicho")
    chat.write("1")
    later = clock.now_ms() + clock.DAY_MS + 1
    monkeypatch.setattr("flows.chat.now_ms", lambda: later)
    assert "1. Open a screening" in chat.write("1").text


def test_a_button_of_an_older_question_is_no_answer(clinic: Clinic) -> None:
    site = clinic("en")
    chat = Chat(site, Kind.WHATSAPP)
    chat.write("hi")
    chat.write("", choice="open")
    chat.write("", choice="male")
    assert text("en", "ask-birth-year") in chat.write("", choice="open").text


def test_ussd_and_messages_do_not_disturb_each_other(clinic: Clinic) -> None:
    site = clinic("en")
    phone, chat = Ussd(site), Chat(site, Kind.SMS)
    phone.dial()
    phone.press("1")
    chat.read_on(chat.write("risk"))
    assert phone.press("1").startswith(f"CON {text('en', 'ask-birth-year')}")
    assert chat.write("1").text.startswith(text("en", "ask-risk-diabetes"))
    assert phone.press("1961").startswith(f"CON {text('en', 'ask-patient-phone')}")


@pytest.mark.parametrize("word", ["RISK", "risk!", " Hatari ", "HINYRUOK."])
@pytest.mark.parametrize("before", [(), ("jicho",), ("jicho", "1"), ("risk", "1", "2", "50")])
def test_a_word_goes_straight_to_the_risk_questions(clinic: Clinic, word: str, before: tuple[str, ...]) -> None:
    chat = Chat(clinic("sw"), Kind.SMS, PATIENT)
    for words in before:
        chat.write(words)
    assert text("sw", "ask-risk-consent")[:30] in chat.write(word).text
    assert chat.write("1").text.startswith(text("sw", "error-more"))
    assert chat.read_on(chat.write("0")).text.endswith("2. Hapana")
    assert chat.write("1").text.startswith(text("sw", "ask-risk-diabetes"))


def test_who_writes_the_word_first_of_all_chooses_a_language(clinic: Clinic) -> None:
    chat = Chat(clinic("en"), Kind.SMS, "+254733000003")
    assert chat.write("risk").text.startswith(text("sw", "ask-language"))
    assert text("luo", "ask-risk-consent")[:30] in chat.write("2").text
