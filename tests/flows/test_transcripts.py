"""Golden transcripts: every flow, on every channel it is for, in three languages.

`pytest tests/flows --regenerate` writes them anew; the diff is then for a person to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from phones import GOLDEN, PATIENT, WORKER, Chat, Ussd, Voice, decide

from flows.catalogue import LANGUAGES, text
from flows.render_chat import Reply
from flows.render_voice import VoiceStep
from services.channels.base import Kind
from services.messaging.reminders import send_due
from services.runtime import Runtime
from services.screening.decision import Outcome
from services.screening.facilities import Facility, listed, put
from services.screening.results import announce
from services.screening.retakes import wait_for_retake
from services.store.tables import message, photo, screening

Clinic = Callable[[str], Runtime]
OPENING = ("1", "1", "1961", "0722000002", "1", "98")


class Transcript:
    """What was typed and what came back."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, who: str, typed: str, answer: str | Reply | VoiceStep) -> Any:
        self.lines.append(f"> {who}: {typed or '(dials)'}")
        if isinstance(answer, Reply):
            self.lines.append(answer.text)
            self.lines += [f"[{key}: {label}]" for key, label in answer.buttons]
        elif isinstance(answer, VoiceStep):
            self.lines += [f"♪ {words}" for words in answer.texts]
            if answer.pace != "normal":
                self.lines.append(f"({answer.pace})")
            if answer.dial:
                self.lines.append(f"(is put through to {answer.dial})")
            self.lines.append("(ends)" if answer.ended else f"(waits for {answer.digits or 'any number of'} keys)")
        else:
            self.lines.append(answer)
        self.lines.append("")
        return answer


def ussd(transcript: Transcript, phone: Ussd, who: str, *answers: str) -> str:
    screen = transcript.note(who, "", phone.dial())
    for answer in answers:
        screen = transcript.note(who, answer, phone.press(answer))
    assert isinstance(screen, str)
    return screen


def open_one(phone: Ussd) -> str:
    phone.dial()
    for answer in (*OPENING, "1", "2"):
        screen = phone.press(answer)
    return next(word.strip(".") for word in screen.split() if word.strip(".").isdigit())


def first_contact(site: Runtime, told: Transcript, _language: str) -> None:
    ussd(told, Ussd(site, "+254733000003"), "stranger", "2", "3", "1", "4", "4")


def opening(site: Runtime, told: Transcript, _language: str) -> None:
    phone = Ussd(site)
    ussd(told, phone, "worker", "1", "3", "1", "19", "1961", "12345", "0722 000 002", "1", "98", "1", "1")
    ussd(told, phone, "worker", *OPENING, "2")


def back_home_and_resume(site: Runtime, told: Transcript, _language: str) -> None:
    phone = Ussd(site)
    ussd(told, phone, "worker", "1", "2", "0", "1", "1950")
    ussd(told, phone, "worker", "7", "1", "1")
    ussd(told, phone, "worker", "2", "1", "00")


def result_by_code(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    patient = Ussd(site, PATIENT)
    ussd(told, patient, "patient", "1", code)
    decide(site, code, "refer")
    ussd(told, patient, "patient", "1", "123456", "111112", code)
    decide(site, code, "rescreen")
    ussd(told, patient, "patient", "1", code)


def call_me(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    patient = Ussd(site, PATIENT)
    ussd(told, patient, "patient", "2", code)
    decide(site, code, "refer")
    for _ in range(4):
        ussd(told, patient, "patient", "2", code)


def one_eye(site: Runtime, told: Transcript, _language: str) -> None:
    phone = Ussd(site)
    code = open_one(phone)
    ussd(told, phone, "worker", "3", code)
    decide(site, code, "rescreen")
    ussd(told, phone, "worker", "3", code)


def about_and_language(site: Runtime, told: Transcript, language: str) -> None:
    other = str(1 + ("sw", "luo", "en").index(language))
    ussd(told, Ussd(site, PATIENT), "patient", "3", other, "4", "4")


def photograph_whatsapp(site: Runtime, told: Transcript, language: str) -> None:
    code, chat = open_one(Ussd(site)), Chat(site, Kind.WHATSAPP)
    told.note("worker", "[photo]", chat.write("", photos=1))
    told.note("worker", "111111", chat.write("111111"))
    told.note("worker", code, chat.write(code))
    told.note("worker", "[left]", chat.write(text(language, "eye-left"), choice="left"))
    told.note("worker", f"[photo] {code} R", chat.write(f"{code} R", photos=1))
    told.note("worker", "[2 photos]", chat.write("", photos=2))
    told.note("worker", code, chat.write(code))
    told.note("worker", "1", chat.write("1"))
    told.note("worker", "[right]", chat.write("", choice="right"))


def photograph_mms(site: Runtime, told: Transcript, _language: str) -> None:
    code, chat = open_one(Ussd(site)), Chat(site, Kind.SMS)
    told.note("worker", "[photo]", chat.write("", photos=1, kind=Kind.MMS))
    told.note("worker", f"SMS {code}", chat.write(code))
    told.note("worker", "SMS 2", chat.write("2"))


def menu_by_sms(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.SMS, PATIENT)
    for words in ("jicho", "1", "0", "9", "4", "stop", "start"):
        told.note("patient", words, chat.write(words))


def menu_by_whatsapp(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.WHATSAPP, WORKER)
    for words in ("hello", "1", "1", "1961", "1", "1", "1", "2"):
        told.note("worker", words, chat.write(words))


def call(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    decide(site, code, "refer")
    phone = Voice(site)
    for digits in (None, "123", "111111", code, "1", "2"):
        told.note("patient", digits or "(answers)", phone.event(digits))
    silent = Voice(site, session="ATVId_2")
    for _ in range(4):
        told.note("patient", "(silence)", silent.event(None))


def photographs_in_a_queue(site: Runtime, told: Transcript, _language: str) -> None:
    mine, other, chat = open_one(Ussd(site)), open_one(Ussd(site)), Chat(site, Kind.WHATSAPP)
    told.note("worker", "[photo]", chat.write("", photos=1))
    told.note("worker", "[photo]", chat.write("", photos=1))
    told.note("worker", f"[photo] {other} R", chat.write(f"{other} R", photos=1))
    for words in (mine, "1", "2"):
        told.note("worker", words, chat.write(words))
    told.note("worker", "[photo]", chat.write("", photos=1))
    for words in ("12", "100009", "1", "100009", "100009"):
        told.note("worker", words, chat.write(words))


def result_by_message(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    decide(site, code, "refer")
    patient, worker = Chat(site, Kind.WHATSAPP, PATIENT), Chat(site, Kind.SMS)
    for words in ("hi", "1", code, "2", "jicho", "1", code, "1"):
        told.note("patient", words, patient.write(words))
    for words in ("hi", "2", code):
        told.note("worker", words, worker.write(words))


def not_understood(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.SMS, PATIENT)
    for words in ("hello", "?", "?", "?", "?", "JICHO"):
        told.note("patient", words, chat.write(words))


def wrong_codes(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    patient = Ussd(site, PATIENT)
    ussd(told, patient, "patient", "1", "100009", "100009", "100009")
    ussd(told, patient, "patient", "2", "100009", "0", "100009", code)


def call_too_early(site: Runtime, told: Transcript, _language: str) -> None:
    code, phone = open_one(Ussd(site)), Voice(site)
    for digits in (None, code):
        told.note("patient", digits or "(answers)", phone.event(digits))
    wrong = Voice(site, session="ATVId_2")
    for digits in (None, "100009", "100009", "100009"):
        told.note("patient", digits or "(answers)", wrong.event(digits))


def symptoms(site: Runtime, told: Transcript, _language: str) -> None:
    phone = Ussd(site)
    ussd(told, phone, "worker", "5", "98", "1", "15", "45", "1", "3", "2", "0", *"2122222221221")
    ussd(told, phone, "worker", "5", "98", "2")
    chat = Chat(site, Kind.WHATSAPP)
    for words in ("hello", "5", "1", "60", "1", "1"):
        told.note("worker", words, chat.write(words))


# no diabetes, 50 years, female, 160 cm, 72 kg, 90 cm; moves, no greens, no medicine, no high sugar, a parent: 13 points
RISK = ("2", "50", "1", "160", "72", "90", "1", "2", "2", "2", "3")


def risk_by_ussd(site: Runtime, told: Transcript, language: str) -> None:
    patient, worker = Ussd(site, PATIENT), Ussd(site)
    for phone, who, *answers in (
        (patient, "patient", "5", "1", *RISK),
        (patient, "patient", "5", "1", "2", "17", "30", "2", "1", "20", "1", *"12223"),
        (patient, "patient", "5", "1", "2", "30", "2", "230", "30", "180", "70", "0", "71", "80", *"11221"),
        (patient, "patient", "5", "1", "1"),
        (patient, "patient", "5", "2"),
        (worker, "worker", "6", "1", "2", "66", "1", "150", "70", "96", *"22113"),
    ):
        screen = told.note(who, "", phone.dial())
        for answer in answers:
            screen = read_on(told, phone, who, screen, language)
            screen = told.note(who, answer, phone.press(answer))
        assert read_on(told, phone, who, screen, language).startswith("END ")


def read_on(told: Transcript, phone: Ussd, who: str, screen: str, language: str) -> str:
    """The last page of a screen."""
    while text(language, "ussd-more") in screen.splitlines():
        screen = told.note(who, "98", phone.press("98"))
    return screen


def risk_by_sms(site: Runtime, told: Transcript, _language: str) -> None:
    patient, worker = Chat(site, Kind.SMS, PATIENT), Chat(site, Kind.SMS)
    for words in ("hatari", "1", *RISK, "1", "risk", "1", "1"):
        write(told, patient, "patient", words)
    for words in ("RISK", "1", *RISK):
        write(told, worker, "worker", words)


def write(told: Transcript, chat: Chat, who: str, words: str) -> None:
    """Writes a message and reads the answer to its end."""
    reply = told.note(who, words, chat.write(words))
    while reply.more:
        reply = told.note(who, "98", chat.write("98"))


def risk_by_whatsapp(site: Runtime, told: Transcript, _language: str) -> None:
    patient = Chat(site, Kind.WHATSAPP, PATIENT)
    told.note("patient", "jicho", patient.write("jicho"))
    for words in ("[risk]", "[yes]", "[no]", "50", "[female]", "160", "1", "34", "90", *["[no]"] * 4, "[far]", "[no]"):
        choice = words.strip("[]") if words.startswith("[") else ""
        told.note("patient", words, patient.write(words, choice=choice))
    hidden = Chat(site, Kind.WHATSAPP, "US.1234abcd")
    for words in ("risk", "3"):
        told.note("hidden number", words, hidden.write(words))


def risk_by_call(site: Runtime, told: Transcript, _language: str) -> None:
    phone = Voice(site, direction="inbound")
    for digits in (None, "2", "1", *RISK, "1", "2"):
        told.note("patient", digits or "(rings the clinic)", phone.event(digits))
    chat = Chat(site, Kind.SMS, PATIENT)
    for words in ("risk", "1", *RISK, "1"):
        chat.read_on(chat.write(words))
    asked = Voice(site, session="ATVId_2")
    for digits in (None, "1", "2"):
        told.note("patient", digits or "(answers)", asked.event(digits))


# Keys of the menus: what a patient, a worker and somebody who rings choose for a visit.
VISIT, RECORD, VISIT_BY_CALL = "7", "9", "3"


@contextmanager
def later(days: int) -> Iterator[None]:
    """Noon in Nairobi, some days after tomorrow began."""
    morning = datetime.now(UTC).replace(hour=9, minute=0, second=0) + timedelta(days=days + 1)
    clock = SimpleNamespace(time_ns=lambda: int(morning.timestamp()) * 10**9)
    with patch("services.store.clock.time", clock):
        yield


def conclude(site: Runtime, code: str, outcome: Outcome) -> None:
    """Decides a screening as readings would."""
    with site.db.write() as tx:
        if not listed(tx):
            put(tx, Facility("Kisumu Eye Unit", "Kisumu", days=("mon", "thu")))
        announce(tx, tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one(), outcome)


def due(site: Runtime, told: Transcript, days: int) -> None:
    """Everything that the scheduler sends that day."""
    sent = sa.select(message.c.id, message.c.recipient, message.c.text).order_by(message.c.id)
    with site.db.read() as tx:
        before = tx.execute(sa.select(sa.func.max(message.c.id))).scalar() or 0
    send_due(site)
    with site.db.read() as tx:
        for row in tx.execute(sent.where(message.c.id > before, message.c.kind == "sms")):
            to = "worker" if row.recipient == WORKER else "patient"
            told.note(f"SMS to the {to}", f"(day {days})", Reply(row.text))


def visit_by_sms(site: Runtime, told: Transcript, _language: str) -> None:
    phone, chat = Ussd(site), Chat(site, Kind.SMS, PATIENT)
    code = open_one(phone)
    conclude(site, code, "refer")
    for day, answers in ((23, ()), (33, ("9", "2")), (48, ("3", "2")), (49, ())):
        with later(day):
            due(site, told, day)
            for words in answers:
                told.note("patient", words, chat.write(words))
    second = open_one(phone)
    conclude(site, second, "refer")
    for day, answers in ((23, ()), (33, ("1",))):
        with later(day):
            due(site, told, day)
            for words in answers:
                told.note("patient", words, chat.write(words))


def visit_by_ussd(site: Runtime, told: Transcript, language: str) -> None:
    patient, worker = Ussd(site, PATIENT), Ussd(site)
    code = open_one(worker)
    conclude(site, code, "refer")
    for phone, who, *answers in (
        (patient, "patient", "1", code),
        (patient, "patient", VISIT, "111112", code, "2"),
        (patient, "patient", VISIT, code, "3", "1"),
        (worker, "worker", RECORD, code, "1"),
        (patient, "patient", VISIT, code),
    ):
        screen = told.note(who, "", phone.dial())
        for answer in answers:
            screen = read_on(told, phone, who, screen, language)
            screen = told.note(who, answer, phone.press(answer))
        read_on(told, phone, who, screen, language)


def visit_by_whatsapp(site: Runtime, told: Transcript, _language: str) -> None:
    code, patient, worker = open_one(Ussd(site)), Chat(site, Kind.WHATSAPP, PATIENT), Chat(site, Kind.WHATSAPP)
    conclude(site, code, "refer")
    for who, chat, *moves in (
        ("patient", patient, "jicho", "[visit]", code, "[cannot]", "[afraid]"),
        ("worker", worker, "jicho", "[record]", code, "[yes]"),
    ):
        for words in moves:
            told.note(who, words, chat.write(words, choice=words.strip("[]") if words.startswith("[") else ""))


def visit_by_call(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    with site.db.write() as tx:
        tx.execute(screening.update().values(priority="urgent"))
    conclude(site, code, "refer")
    for session, direction, *keys in (
        ("ATVId_1", "outbound", code, "2"),
        ("ATVId_2", "inbound", VISIT_BY_CALL, code, "3", "4"),
    ):
        phone = Voice(site, session=session, direction=direction)
        for digits in (None, *keys):
            told.note("patient", digits or f"({direction})", phone.event(digits))


def a_year_later(site: Runtime, told: Transcript, language: str) -> None:
    worker, patient, chat = Ussd(site), Ussd(site, PATIENT), Chat(site, Kind.SMS, PATIENT)
    for answer in ("1", "2"):
        conclude(site, open_one(worker), "rescreen")
        with later(365):
            due(site, told, 365)
            told.note("patient", answer, chat.write(answer))
    code = open_one(worker)
    conclude(site, code, "rescreen")
    with later(366):
        due(site, told, 366)
        screen = told.note("patient", "", patient.dial())
        for answer in (VISIT, code, "1"):
            screen = read_on(told, patient, "patient", screen, language)
            screen = told.note("patient", answer, patient.press(answer))


def retake_missing(site: Runtime, told: Transcript, _language: str) -> None:
    code, chat = open_one(Ussd(site)), Chat(site, Kind.SMS)
    chat.write(f"{code} L", photos=1, kind=Kind.MMS)
    with site.db.write() as tx:
        row = tx.execute(sa.select(photo)).one()
        wait_for_retake(tx, row, "quality-uncertain")
        tx.execute(photo.update().values(state="read"))
    for day in (1, 14):
        with later(day):
            due(site, told, day)


def dial(told: Transcript, phone: Ussd, who: str, language: str, *answers: str) -> None:
    """Dials, answers, and reads every screen to its end."""
    screen = told.note(who, "", phone.dial())
    for answer in answers:
        screen = told.note(who, answer, phone.press(answer))
        if answer != "98":
            read_on(told, phone, who, screen, language)


def press(told: Transcript, phone: Voice, who: str, *keys: str) -> None:
    for digits in ("", *keys):
        told.note(who, digits or "(rings the clinic)", phone.event(digits or None))


def goes_on_by_ussd(site: Runtime, told: Transcript, language: str) -> None:
    chat, phone = Chat(site, Kind.SMS), Ussd(site)
    for words in ("jicho", "1", "1", "1961"):
        write(told, chat, "worker by SMS", words)
    dial(told, phone, "worker by USSD", language, "1", "1", "1", "1", "2")


def goes_on_by_sms(site: Runtime, told: Transcript, language: str) -> None:
    phone, chat = Ussd(site, PATIENT), Chat(site, Kind.SMS, PATIENT)
    dial(told, phone, "patient by USSD", language, "5", "1", "2", "50")
    for words in ("hello", "1", "1", "160"):
        write(told, chat, "patient by SMS", words)
    told.note("patient by USSD", "160", phone.press("160"))


def goes_on_by_whatsapp(site: Runtime, told: Transcript, language: str) -> None:
    phone, chat = Ussd(site), Chat(site, Kind.WHATSAPP)
    dial(told, phone, "worker by USSD", language, "1", "2")
    for words, choice in (("hello", ""), ("", "continue"), ("1950", ""), ("1", ""), ("", "luo")):
        told.note("worker by WhatsApp", words or f"[{choice}]", chat.write(words, choice=choice))


def goes_on_by_call(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.WHATSAPP, PATIENT)
    told.note("patient by WhatsApp", "hi", chat.write("hi"))
    for choice in ("risk", "yes", "no"):
        told.note("patient by WhatsApp", f"[{choice}]", chat.write("", choice=choice))
    press(told, Voice(site, direction="inbound"), "patient by call", "1", "50", "1", "160")


def withdrawal_by_ussd(site: Runtime, told: Transcript, language: str) -> None:
    worker, patient = Ussd(site), Ussd(site, PATIENT)
    mine, other = open_one(worker), open_one(worker)
    decide(site, mine, "refer")
    dial(told, patient, "patient", language, "6", "1", "100009", mine, "2")
    dial(told, patient, "patient", language, "6", "1", mine, "1")
    dial(told, patient, "patient", language, "1", mine)
    dial(told, worker, "worker", language, "8", mine)
    dial(told, worker, "worker", language, "8", other, "1")
    dial(told, patient, "patient", language, "6", "2", "1")
    dial(told, patient, "patient", language, "6", "3", "2")
    dial(told, patient, "patient", language, "6", "3", "1")


def withdrawal_by_sms(site: Runtime, told: Transcript, _language: str) -> None:
    code, patient = open_one(Ussd(site)), Chat(site, Kind.SMS, PATIENT)
    for words in ("ondoa", code, "1", "futa", code):
        write(told, patient, "patient", words)
    worker = Chat(site, Kind.SMS)
    for words in ("withdraw", "12", code):
        write(told, worker, "worker", words)


def withdrawal_by_whatsapp(site: Runtime, told: Transcript, _language: str) -> None:
    code, patient = open_one(Ussd(site)), Chat(site, Kind.WHATSAPP, PATIENT)
    for words, choice in (("jicho", ""), ("", "data"), ("", "screening"), (code, ""), ("", "yes")):
        told.note("patient", words or f"[{choice}]", patient.write(words, choice=choice))


def withdrawal_by_call(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    press(told, Voice(site, direction="inbound"), "patient", "4", "1", code, "1")


def lists(site: Runtime, told: Transcript, language: str, kind: Kind) -> None:
    """On each channel: what is not finished, and the last ten."""
    phone = Ussd(site)
    codes = [open_one(phone) for _ in range(3)]
    decide(site, codes[0], "rescreen")
    Chat(site, Kind.WHATSAPP).write(f"{codes[1]} L", photos=1)
    for which in ("1", "2"):
        if kind is Kind.USSD:
            dial(told, phone, "worker", language, "7", which)
        elif kind is Kind.VOICE:
            begun = Chat(site, Kind.SMS)
            begun.write("jicho")
            begun.write("7")
            press(told, Voice(site, WORKER, f"ATVId_{which}", "inbound"), "worker", "1", which)
        else:
            chat = Chat(site, kind)
            for words in ("jicho", "7", which):
                write(told, chat, "worker", words)


def help_menu(site: Runtime, told: Transcript, language: str, kind: Kind) -> None:
    for about in "1234":
        if kind is Kind.USSD:
            dial(told, Ussd(site, PATIENT), "patient", language, "4", about)
            dial(told, Ussd(site), "worker", language, "10", about)
        elif kind is Kind.VOICE:
            press(told, Voice(site, session=f"ATVId_{about}", direction="inbound"), "patient", "5", about)
        else:
            for chat, who, key in ((Chat(site, kind, PATIENT), "patient", "4"), (Chat(site, kind), "worker", "10")):
                for words in ("jicho", key, about):
                    write(told, chat, who, words)


def call_aside(site: Runtime, told: Transcript, _language: str) -> None:
    code = open_one(Ussd(site))
    decide(site, code, "rescreen")
    phone = Voice(site)
    for digits in (None, "0", "7", "1", "0", "2", code, "0", "3", "3", "0", "2", "2"):
        told.note("patient", digits or "(answers)", phone.event(digits))
    press(told, Voice(site, session="ATVId_2", direction="inbound"), "patient", "0", "4")
    press(told, Voice(site, "+254733000009", "ATVId_3", "inbound"), "stranger", "6")


def voice_note(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.WHATSAPP, PATIENT)
    for words in ("hello", "1"):
        told.note("patient", words, chat.write(words))
    told.note("patient", "[voice note]", chat.write("", note=True))


def many_choices_by_call(site: Runtime, told: Transcript, _language: str) -> None:
    chat = Chat(site, Kind.SMS)
    for words in ("jicho", "4", "2"):
        chat.write(words)
    press(told, Voice(site, WORKER, direction="inbound"), "worker", "1", "9", "2", "4")


def on_each(scene: Callable[..., None]) -> dict[str, Callable[..., None]]:
    kinds = (Kind.USSD, Kind.SMS, Kind.WHATSAPP, Kind.VOICE)
    return {f"{scene.__name__}_by_{kind}": partial(scene, kind=kind) for kind in kinds}


SCENES = {
    scene.__name__: scene
    for scene in (
        first_contact,
        opening,
        back_home_and_resume,
        result_by_code,
        call_me,
        one_eye,
        about_and_language,
        photograph_whatsapp,
        photograph_mms,
        menu_by_sms,
        menu_by_whatsapp,
        call,
        photographs_in_a_queue,
        result_by_message,
        not_understood,
        wrong_codes,
        call_too_early,
        symptoms,
        risk_by_ussd,
        risk_by_sms,
        risk_by_whatsapp,
        risk_by_call,
        visit_by_sms,
        visit_by_ussd,
        visit_by_whatsapp,
        visit_by_call,
        a_year_later,
        retake_missing,
        goes_on_by_ussd,
        goes_on_by_sms,
        goes_on_by_whatsapp,
        goes_on_by_call,
        withdrawal_by_ussd,
        withdrawal_by_sms,
        withdrawal_by_whatsapp,
        withdrawal_by_call,
        call_aside,
        voice_note,
        many_choices_by_call,
    )
}
SCENES |= on_each(lists) | on_each(help_menu)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCENES)
def test_transcript(clinic: Clinic, name: str, language: str, pytestconfig: pytest.Config) -> None:
    told = Transcript()
    SCENES[name](clinic(language), told, language)
    path = GOLDEN / f"{name}.{language}.txt"
    heard = "\n".join(told.lines).replace(str(datetime.now(UTC).year), "THIS-YEAR")
    if pytestconfig.getoption("--regenerate"):
        path.write_text(heard)
    assert heard == path.read_text()
