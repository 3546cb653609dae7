"""Golden transcripts: every flow, on every channel it is for, in three languages.

`pytest tests/flows --regenerate` writes them anew; the diff is then for a person to read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from phones import GOLDEN, PATIENT, WORKER, Chat, Ussd, Voice, decide

from flows.catalogue import LANGUAGES, text
from flows.render_chat import Reply
from flows.render_voice import VoiceStep
from services.channels.base import Kind
from services.runtime import Runtime

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
            self.lines += [f"♪ {words}" for words, _ in answer.prompts]
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
    ussd(told, Ussd(site, "+254733000003"), "stranger", "2", "3", "1", "4")


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
    ussd(told, Ussd(site, PATIENT), "patient", "3", other, "4")


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
        told.note("patient", words, patient.write(words))
    for words in ("RISK", "1", *RISK):
        told.note("worker", words, worker.write(words))


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
        chat.write(words)
    asked = Voice(site, session="ATVId_2")
    for digits in (None, "1", "2"):
        told.note("patient", digits or "(answers)", asked.event(digits))


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
    )
}


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
