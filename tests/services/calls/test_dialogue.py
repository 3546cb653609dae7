"""A phone call, event by event: what to play, waiting for audio, flash-back, its end."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
from defusedxml.ElementTree import fromstring
from open_rows import messages
from phones import WORKER, open_case

from flows.catalogue import text
from flows.render_voice import Utterance
from services.calls.clips import ensure, key_of, may_play
from services.calls.dialogue import answer_call
from services.calls.repertoire import repertoire
from services.channels.base import Kind, VoiceEvent
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.people import set_language
from services.screening.referral import destination
from services.store.clock import MINUTE_MS, now_ms
from services.store.sealing import carrier_token
from services.store.tables import clip, message, outbox

PATIENT, CLINIC = "+254722000002", "+254711082000"


def event(
    digits: str | None = None, *, direction: str = "outbound", session: str = "ATVId_1", **more: object
) -> VoiceEvent:
    return VoiceEvent(session, direction, PATIENT, CLINIC, bool(more.pop("active", True)), digits, **more)  # type: ignore[arg-type]


def answer(site: Runtime, happened: VoiceEvent, step: str = "") -> Element:
    found: Element = fromstring(answer_call(site, happened, step=step))
    return found


def all_ready(site: Runtime) -> None:
    with site.db.write() as tx:
        ensure(tx, site.settings, "sw", repertoire(site.settings, destination(tx)))
        tx.execute(clip.update().values(state="ready"))
        tx.execute(outbox.delete())


def name_of(site: Runtime, message: str, **params: object) -> str:
    return key_of(site.settings, "sw", Utterance(message, params))


def played(verb: Element) -> list[str]:
    """The names of the clips that one Play plays."""
    (play,) = [verb] if verb.tag == "Play" else list(verb)
    return play.attrib["url"].split("/audio/")[1].split(".")[0].split("-")


@pytest.fixture
def called(site: Runtime) -> Runtime:
    """A patient who speaks Kiswahili and is being called."""
    with site.db.write() as tx:
        set_language(tx, msisdn=PATIENT, language="sw")
        post(tx, Kind.VOICE, PATIENT, "", key="call", purpose="result", language="sw", prepare=True)
        tx.execute(message.update().values(state="sending"))
    return site


def call_row(site: Runtime) -> sa.Row[tuple[object, ...]]:
    with site.db.read() as tx:
        return tx.execute(sa.select(message)).one()


def test_the_code_is_asked_for_with_signed_audio(called: Runtime) -> None:
    all_ready(called)
    gather, redirect = answer(called, event())
    assert gather.attrib == {
        "timeout": "12",
        "finishOnKey": "#",
        "numDigits": "6",
        "callbackUrl": f"{called.settings.base_url}/at/{called.settings.at_token.get_secret_value()}/voice",
    }
    (play,) = gather
    url = play.attrib["url"]
    found = re.fullmatch(r"http://127\.0\.0\.1:8080/audio/([\w-]+)\.wav\?until=(\d+)&signature=(\w+)", url)
    assert found is not None
    ready = ("call-ready", "ask-result-code-voice", "voice-zero")
    assert found[1].split("-") == [name_of(called, each) for each in ready]
    assert may_play(called.settings, *found.groups())
    assert not may_play(called.settings, found[1], str(int(found[2]) + 1), found[3])
    assert not may_play(called.settings, found[1], "9" * 13, found[3])
    assert redirect.tag == "Redirect"


def test_missing_audio_is_asked_for_and_waited_for(called: Runtime) -> None:
    say, redirect = answer(called, event())
    assert (say.tag, redirect.tag) == ("Say", "Redirect")
    assert (redirect.text or "").endswith("?step=again-1")
    with called.db.read() as tx:
        tasks = tx.execute(sa.select(outbox.c.task)).scalars().all()
    assert set(tasks) == {"render_clip"}
    all_ready_except_asked(called)
    gather, _ = answer(called, event(), step="again")
    assert gather.tag == "GetDigits", "the same question, and no silence is counted"


def all_ready_except_asked(site: Runtime) -> None:
    with site.db.write() as tx:
        tx.execute(clip.update().values(state="ready"))


def test_the_callback_that_overtakes_the_receipt_is_joined(called: Runtime) -> None:
    answer(called, event())
    assert call_row(called).provider_id == carrier_token("ATVId_1")


def test_the_end_of_a_call(called: Runtime) -> None:
    end = event(active=False, duration_s=21, cost="KES 1.05", hangup_cause="NORMAL_CLEARING")
    assert len(answer(called, end)) == 0
    row = call_row(called)
    assert (row.state, row.reason, row.cost) == ("delivered", "NORMAL_CLEARING", "KES 1.05")


def test_a_result_nobody_heard_is_rung_again_twice(called: Runtime) -> None:
    for attempt, state in ((1, "pending"), (2, "pending"), (3, "failed")):
        with called.db.write() as tx:
            tx.execute(message.update().values(state="sent", attempts=attempt, provider_id=f"ATVId_{attempt}"))
        answer(called, event(session=f"ATVId_{attempt}", active=False, duration_s=0, hangup_cause="NO_ANSWER"))
        assert (call_row(called).state, call_row(called).reason) == (state, "NO_ANSWER")
    with called.db.read() as tx:
        again = tx.execute(sa.select(outbox).where(outbox.c.task == "send_message")).all()
    assert len(again) == 2
    assert all(row.not_before > now_ms() + 25 * MINUTE_MS for row in again)


def test_ringing_the_clinic_is_free_and_rings_back(site: Runtime) -> None:
    for number in range(5):
        (verb,) = answer(site, event(direction="inbound", session=f"ATVId_in{number}"))
        assert verb.tag == "Reject"
    with site.db.read() as tx:
        rows = messages(tx)
        tasks = tx.execute(sa.select(outbox.c.task)).scalars().all()
    assert [(row.recipient, row.purpose) for row in rows] == [(PATIENT, "call-back")] * 3, "three an hour at most"
    assert tasks == ["prepare_call"] * 3


def test_foreign_numbers_are_not_rung_back(site: Runtime) -> None:
    happened = VoiceEvent("ATVId_x", "inbound", "+8835100099", CLINIC, True)
    (verb,) = answer(site, happened)
    assert verb.tag == "Reject"
    with site.db.read() as tx:
        assert tx.execute(sa.select(message)).all() == []


def test_a_call_can_be_answered_where_the_operator_prefers(site: Runtime) -> None:
    site.settings = site.settings.model_copy(update={"voice_on_incoming": "answer"})
    all_ready(site)
    gather, _ = answer(site, event(direction="inbound"))
    assert gather.tag == "GetDigits"
    assert played(gather)[0] == name_of(site, "ask-call-menu")


# No diabetes, 50 years, female, 160 cm, 72 kg, waist unknown, then what the points count; heard, and heard enough.
RISK_KEYS = ("2", "1", "2", "50", "1", "160", "72", "1", "1", "1", "2", "2", "3", "2")


@pytest.mark.parametrize("odd", [(), ("17",), (None,), ("*",)])
def test_no_caller_with_the_risk_questions_waits_for_a_sentence(site: Runtime, odd: tuple[str | None, ...]) -> None:
    site.settings = site.settings.model_copy(update={"voice_on_incoming": "answer"})
    all_ready(site)
    heard = [answer(site, event(keys, direction="inbound")) for keys in (None, *RISK_KEYS[:3], *odd, *RISK_KEYS[3:])]
    assert [verbs[0].tag for verbs in heard] == ["GetDigits"] * (len(heard) - 1) + ["Play"]
    assert played(heard[-2][0])[2] == name_of(site, "risk-eyes")
    with site.db.read() as tx:
        unready = tx.execute(sa.select(clip.c.message).where(clip.c.state != "ready")).scalars().all()
    assert unready == []


@pytest.mark.parametrize("rendered", [True, False])
def test_nobody_holds_the_line_for_ever_where_nothing_is_rendered(called: Runtime, rendered: bool) -> None:
    answer(called, event())
    if rendered:
        with called.db.write() as tx:
            ensure(tx, called.settings, "sw", [Utterance("voice-later")])
            later = clip.c.key == name_of(called, "voice-later")
            tx.execute(clip.update().where(later).values(state="ready"))
    step, asked = "again", 0
    while len(verbs := answer(called, event(), step)) == 2:
        step, asked = (verbs[1].text or "").split("step=")[1], asked + 1
    assert asked == 30
    assert [verb.tag for verb in verbs] == ["Play" if rendered else "Say"]


@pytest.fixture
def put_through(called: Runtime) -> Runtime:
    """The patient was put through to the health worker who screened her."""
    open_case(called)
    all_ready(called)
    answer(called, event())
    for digits in ("0", "4"):
        verbs = answer(called, event(digits))
    assert [verb.tag for verb in verbs] == ["Play", "Dial", "Redirect"]
    assert verbs[1].attrib == {"phoneNumbers": WORKER, "maxDuration": "600"}
    assert (verbs[2].text or "").endswith("/voice?step=unanswered")
    return called


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ("", {"dialled": WORKER}),
        ("", {"dialled": WORKER, "dial_status": "Completed", "dial_s": 40}),
        ("unanswered", {"dialled": WORKER, "dial_status": "Completed"}),
        ("unanswered", {"dialled": WORKER, "dial_s": 40}),
    ],
)
def test_nothing_is_said_into_a_talk(put_through: Runtime, step: str, more: dict[str, object]) -> None:
    assert list(answer(put_through, event(**more), step)) == []
    assert told_to_ring_back(put_through) == []


@pytest.mark.parametrize("more", [{}, {"dialled": WORKER, "dial_status": "NoAnswer", "dial_s": 0}])
def test_who_did_not_pick_up_is_asked_to_ring_back_once(put_through: Runtime, more: dict[str, object]) -> None:
    for _ in range(2):
        (play,) = answer(put_through, event(**more), "unanswered")
        assert played(play) == [name_of(put_through, "unanswered-told")]
    assert told_to_ring_back(put_through) == [(WORKER, text("en", "person-rang", phone=PATIENT))]
    with put_through.db.read() as tx:
        owner = sa.select(message.c.screening_id).where(message.c.purpose == "call-missed")
        assert tx.execute(owner).scalar_one() is not None, "her number is erased with her screening"


def test_a_phone_of_the_clinic_gets_no_sms(called: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def who_helps(_tx: object, *, msisdn: str) -> dict[str, str]:
        return {"phone": "+254202000000" if msisdn == PATIENT else ""}

    monkeypatch.setattr("flows.help.who_helps", who_helps)
    all_ready(called)
    answer(called, event())
    for digits in ("0", "4"):
        verbs = answer(called, event(digits))
    assert verbs[1].attrib["phoneNumbers"] == "+254202000000"
    (play,) = answer(called, event(), "unanswered")
    assert played(play) == [name_of(called, "unanswered")]
    assert told_to_ring_back(called) == []


def told_to_ring_back(site: Runtime) -> list[tuple[str, str]]:
    with site.db.read() as tx:
        return [(row.recipient, row.text) for row in messages(tx, message.c.purpose == "call-missed")]
