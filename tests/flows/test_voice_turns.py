"""Calls: what is heard, what is private, and that every call ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from phones import PATIENT, WORKER, Voice, decide, open_another

from flows.catalogue import LANGUAGES, text
from flows.render_voice import Utterance
from flows.voice import voice_again
from services.channels.base import VoiceEvent
from services.runtime import Runtime
from services.screening import cases
from services.screening.results import announce
from services.store.tables import screening

Clinic = Callable[[str], Runtime]


def open_one(site: Runtime, outcome: str = "") -> str:
    code = open_another(site)
    if outcome:
        decide(site, code, outcome)
    return code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", ["refer", "rescreen"])
def test_the_verdict_comes_after_the_code_and_is_private(clinic: Clinic, language: str, outcome: str) -> None:
    site = clinic(language)
    code, phone = open_one(site, outcome), Voice(site)
    ready = ("call-ready", "ask-result-code-voice", "voice-zero")
    assert phone.event().texts == tuple(text(language, each) for each in ready)
    said = phone.event(code)
    verdict = text(language, f"result-{outcome}", place=site.settings.place)
    assert said.language == language
    assert (said.texts[0], said.prompts[0].private) == (verdict, True)
    assert phone.event("1").prompts[0] == said.prompts[0]
    assert phone.event("2").ended


@pytest.mark.parametrize("silence", [None, ""])
def test_silence_is_asked_twice_more_and_then_hung_up(clinic: Clinic, silence: str | None) -> None:
    phone = Voice(clinic("en"))
    asked = phone.event()
    assert [phone.event(silence) for _ in range(2)] == [asked, asked]
    assert phone.event(silence).ended
    assert phone.event("1").ended


def test_an_answer_between_silences_starts_the_patience_anew(clinic: Clinic) -> None:
    site = clinic("en")
    code, phone = open_one(site, "refer"), Voice(site)
    phone.event()
    phone.event(None)
    phone.event(None)
    phone.event(code)
    assert [phone.event(None).ended for _ in range(3)] == [False, False, True]


def test_keys_that_are_no_code_do_not_keep_the_line_open(clinic: Clinic) -> None:
    phone = Voice(clinic("en"))
    phone.event()
    assert [phone.event("12").ended for _ in range(3)] == [False, False, True]


def test_a_listener_who_never_stops_repeating_is_said_goodbye(clinic: Clinic) -> None:
    site = clinic("en")
    code, phone = open_one(site, "rescreen"), Voice(site)
    phone.event()
    phone.event(code)
    ends = [phone.event("1").ended for _ in range(5)]
    assert ends == [False, False, False, False, True]


def test_another_call_knows_nothing_of_this_one(clinic: Clinic) -> None:
    site = clinic("en")
    code, phone = open_one(site, "refer"), Voice(site)
    phone.event()
    phone.event(code)
    other = Voice(site, session="ATVId_2")
    assert other.event("1").texts[0] == text("en", "call-ready")
    stranger = Voice(site, msisdn="+254733000009", session=phone.session)
    assert stranger.event("1").texts[0] == text("sw", "call-ready")


def test_what_was_said_can_be_said_again_without_moving(clinic: Clinic) -> None:
    site = clinic("en")
    code, phone = open_one(site, "refer"), Voice(site)
    phone.event()
    said = phone.event(code)
    event = VoiceEvent(phone.session, "outbound", PATIENT, "+254711082000", True)
    with site.db.write() as tx:
        assert [voice_again(tx, event, person=PATIENT) for _ in range(2)] == [said, said]
        assert voice_again(tx, VoiceEvent("other", "outbound", PATIENT, "", True), person=PATIENT) is None
        assert voice_again(tx, event, person="+254733000009") is None


def test_a_screening_that_is_not_decided_is_said_to_wait(clinic: Clinic) -> None:
    site = clinic("luo")
    code, phone = open_one(site), Voice(site)
    phone.event()
    said = phone.event(code)
    assert said.ended
    assert said.prompts == (Utterance("result-waiting"),)


def test_who_never_dialled_is_spoken_to_in_the_language_she_told_the_worker(clinic: Clinic) -> None:
    site, patient = clinic("en"), "+254722000077"
    with site.db.write() as tx:
        cases.open_screening(
            tx,
            worker=WORKER,
            sex="female",
            birth_year=1961,
            phone=patient,
            language="luo",
            consent_version="test",
            channel="ussd",
        )
        announce(tx, tx.execute(sa.select(screening.c.id)).scalar_one(), "refer")
    assert Voice(site, msisdn=patient).event().texts[0] == text("luo", "call-ready")
