"""Answered risk questions: what is kept of them, whom they are told, and what is never written to a shared phone."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from open_rows import texts
from phones import PATIENT, WORKER, Chat, Ussd, Voice

from flows.catalogue import LANGUAGES, text
from flows.render_chat import Reply
from flows.render_voice import Utterance
from services import queue
from services.calls.clips import utterance_of
from services.channels.base import Kind
from services.messaging.delivery import _claim
from services.messaging.outbox import post, ring
from services.runtime import Runtime
from services.screening import risk
from services.screening.findrisc import ONE_IN
from services.screening.people import add_worker, opt_out_of, remove_worker, set_language
from services.screening.risk import RISK_CALL, newest_risk, record_risk, ring_with_risk
from services.store import clock
from services.store.sealing import phone_token
from services.store.tables import message, outbox, risk_assessment

ANSWERS: dict[str, Any] = {
    "age": 50,
    "sex": "female",
    "height_cm": 160,
    "weight_kg": 72,
    "waist_cm": None,
    "active_daily": True,
    "greens_daily": False,
    "pressure_medicine": False,
    "high_glucose": False,
    "family": "near",
}  # 2 + 1 + (0 to 4) + 1 + 5 points
TYPED = ("1", "2", "50", "1", "160", "72", "1", "1", "2", "2", "2", "3")  # consent, no diabetes, then the same


@pytest.fixture(autouse=True)
def people(site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
        set_language(tx, msisdn=PATIENT, language="en")


def rows(site: Runtime, table: sa.Table) -> list[Any]:
    with site.db.read() as tx:
        return list(tx.execute(sa.select(table).order_by(table.c.id)))


def record(site: Runtime, msisdn: str = PATIENT, *, worker: bool = False) -> dict[str, Any]:
    with site.db.write() as tx:
        return record_risk(
            tx, msisdn=msisdn, worker=worker, channel="ussd", consent_version="test", answers=dict(ANSWERS)
        )


def write(chat: Chat, *words: str) -> list[Reply]:
    return [chat.read_on(chat.write(each)) for each in words]


def test_a_person_is_kept_with_her_number_and_what_was_missing(site: Runtime) -> None:
    told = record(site)
    assert told == {"assessment": 1, "low": 9, "high": 13, "category": "moderate", "test_advised": True}
    (row,) = rows(site, risk_assessment)
    assert (row.msisdn, row.worker_id, row.channel, row.consent_version) == (phone_token(PATIENT), None, "ussd", "test")
    assert (row.instrument, row.points_low, row.points, row.category) == ("findrisc-2003-form", 9, 13, "moderate")
    assert (row.answers, row.missing) == (ANSWERS, ["waist"])
    assert abs(row.answered_at - clock.now_ms()) < clock.MINUTE_MS


def test_whom_a_worker_asks_is_kept_without_a_number(site: Runtime) -> None:
    assert record(site, WORKER, worker=True)["category"] == "moderate"
    (row,) = rows(site, risk_assessment)
    assert (row.msisdn, row.worker_id) == (None, 1)
    with site.db.read() as tx:
        assert newest_risk(tx, msisdn=WORKER)["category"] is None


def test_who_is_no_worker_any_more_records_nobody(site: Runtime) -> None:
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    assert record(site, WORKER, worker=True)["category"] is None
    assert rows(site, risk_assessment) == []


def test_a_worker_removed_in_the_middle_is_refused(site: Runtime) -> None:
    chat = Chat(site, Kind.SMS)
    write(chat, "risk", *TYPED[:-1])
    with site.db.write() as tx:
        remove_worker(tx, msisdn=WORKER)
    assert chat.write(TYPED[-1]).text == text("en", "screening-refused")
    assert rows(site, risk_assessment) == []


@pytest.mark.parametrize("wrong", [{"shoe_size": 41}, {"age": None}])
def test_other_answers_are_refused(site: Runtime, wrong: dict[str, Any]) -> None:
    answers = {**ANSWERS, **wrong}
    with site.db.write() as tx, pytest.raises(TypeError):
        record_risk(tx, msisdn=PATIENT, worker=False, channel="ussd", consent_version="test", answers=answers)
    assert rows(site, risk_assessment) == []


@pytest.mark.parametrize("before", [(), ("2",)], ids=["no consent asked yet", "declined"])
def test_nothing_is_kept_without_consent(site: Runtime, before: tuple[str, ...]) -> None:
    write(Chat(site, Kind.SMS, PATIENT), "risk", *before)
    assert rows(site, risk_assessment) == []


def test_who_has_diabetes_is_sent_to_the_photograph_and_gets_no_points(site: Runtime) -> None:
    *_, last = write(Chat(site, Kind.WHATSAPP, PATIENT), "risk", "1", "1")
    assert last.text == text("en", "risk-not-for-you", clinic=site.settings.clinic)
    assert rows(site, risk_assessment) == []


@pytest.mark.parametrize("channel", [Kind.USSD, Kind.SMS, Kind.WHATSAPP, Kind.VOICE])
def test_the_same_answers_give_the_same_points_on_every_channel(site: Runtime, channel: Kind) -> None:
    if channel is Kind.USSD:
        phone = Ussd(site, PATIENT)
        for typed in ("5", "98", *TYPED):
            phone.dial() if typed == "5" else None
            phone.press(typed)
    elif channel is Kind.VOICE:
        call = Voice(site, direction="inbound")
        for keys in (None, "2", *TYPED):
            call.event(keys)
    else:
        write(Chat(site, channel, PATIENT), "hatari", *TYPED)
    (row,) = rows(site, risk_assessment)
    assert (row.channel, row.answers, row.points_low, row.points) == (channel, ANSWERS, 9, 13)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [Kind.SMS, Kind.WHATSAPP])
@pytest.mark.parametrize("call", ["1", "2"])
def test_a_patient_s_phone_keeps_no_points_and_no_class(site: Runtime, language: str, kind: Kind, call: str) -> None:
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language=language)
    said = "\n".join(reply.text for reply in write(Chat(site, kind, PATIENT), "risk", *TYPED, call))
    with site.db.read() as tx:
        said += "\n".join(texts(tx))
    for category in ONE_IN:
        assert text(language, f"risk-{category}").split(":")[0].casefold() not in said.casefold()
    for advice in ("risk-no-test", "risk-test"):
        assert text(language, advice, clinic=site.settings.clinic)[:20] not in said
    assert "26" not in said


def test_the_call_that_was_asked_for_reads_the_answer_out(site: Runtime) -> None:
    write(Chat(site, Kind.SMS, PATIENT), "risk", *TYPED, "1")
    (placed,) = rows(site, message)
    assert (placed.kind, placed.recipient, placed.purpose, placed.text) == (
        "voice",
        phone_token(PATIENT),
        RISK_CALL,
        "",
    )
    assert [row.task for row in rows(site, outbox)] == ["prepare_call"]
    call = Voice(site)
    assert call.event().prompts[0] == Utterance("ask-risk-hear")
    heard = call.event("1")
    assert heard.prompts[0] == Utterance("risk-moderate", private=True)
    assert heard.prompts[2] == Utterance("risk-eyes")
    refused = Voice(site, session="ATVId_2")
    refused.event()
    assert refused.event("2").prompts == (Utterance("goodbye"),)


def test_its_sentences_are_made_before_it_is_placed(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        "services.calls.jobs._render", lambda _site, row: made.append(utterance_of(row).text(row.language))
    )
    write(Chat(site, Kind.SMS, PATIENT), "risk", *TYPED, "1")
    (job,) = rows(site, outbox)
    queue.perform(job.id)
    assert {text("en", "ask-risk-hear"), text("en", "risk-moderate"), text("en", "risk-eyes")} <= set(made)
    assert "send_message" in [row.task for row in rows(site, outbox)]


def test_a_call_about_an_eye_prepares_no_risk_question(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        "services.calls.jobs._render", lambda _site, row: made.append(utterance_of(row).text(row.language))
    )
    with site.db.write() as tx:
        ring(tx, PATIENT, key="call", purpose="result", language="en", useful_ms=clock.DAY_MS)
    queue.perform(rows(site, outbox)[0].id)
    assert text("en", "ask-result-code-voice") in made
    assert text("en", "ask-risk-age") not in made


def test_an_asked_call_is_placed_to_who_stopped_unasked_ones(site: Runtime) -> None:
    number = record(site)["assessment"]
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=PATIENT, kind="voice")
        ring_with_risk(tx, msisdn=PATIENT, assessment=number)
        ring(tx, PATIENT, key="unasked", purpose="result", language="en", useful_ms=clock.DAY_MS)
        assert [_claim(tx, number) is not None for number in (1, 2)] == [True, False]


def test_three_calls_a_day_and_then_the_code_to_dial(site: Runtime) -> None:
    chat = Chat(site, Kind.SMS, PATIENT)
    lasts = [write(chat, "risk", *TYPED, "1")[-1].text for _ in range(4)]
    assert lasts[:3] == [text("en", "call-calling")] * 3
    assert lasts[3] == text("en", "risk-dial", ussd=site.settings.ussd_code)
    assert len(rows(site, message)) == 3


def test_a_call_for_the_same_answers_is_placed_once(site: Runtime) -> None:
    number = record(site)["assessment"]
    for _ in range(2):
        with site.db.write() as tx:
            assert ring_with_risk(tx, msisdn=PATIENT, assessment=number) == {"state": "calling"}
    assert len(rows(site, message)) == 1


def test_an_old_answer_is_read_to_nobody(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    record(site)
    with site.db.read() as tx:
        assert newest_risk(tx, msisdn=PATIENT)["high"] == 13
        assert newest_risk(tx, msisdn="+254733000009")["category"] is None
        later = clock.now_ms() + 3 * clock.HOUR_MS
        monkeypatch.setattr(risk, "now_ms", lambda: later)
        assert newest_risk(tx, msisdn=PATIENT)["category"] is None


def test_a_call_knows_what_it_is_for_by_its_session(site: Runtime) -> None:
    record(site)
    with site.db.write() as tx:
        ring_with_risk(tx, msisdn=PATIENT, assessment=1)
        tx.execute(message.update().values(provider_id="ATVId_1"))
        post(tx, Kind.VOICE, PATIENT, "", key="newer", purpose="result", language="en", prepare=True)
    assert Voice(site).event().texts[0] == text("en", "ask-risk-hear")
    assert Voice(site, session="ATVId_2").event().texts[0] == text("en", "call-ready")


def test_who_is_rung_back_may_choose(site: Runtime) -> None:
    with site.db.write() as tx:
        ring(tx, PATIENT, key="back", purpose="call-back", language="en", useful_ms=clock.HOUR_MS)
    call = Voice(site)
    assert call.event().texts[0] == text("en", "ask-call-menu")
    assert call.event("1").texts[0] == text("en", "ask-result-code-voice")


def test_logs_say_nothing_of_a_person(site: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        write(Chat(site, Kind.SMS, PATIENT), "risk", *TYPED, "1")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("sqlalchemy")]
    assert not any(PATIENT in line or "moderate" in line for line in ours)
