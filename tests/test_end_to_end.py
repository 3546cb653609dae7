"""The real stack, from a dialled code through posted photographs to the SMS and the call's audio."""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from flows.catalogue import text
from flows.render_voice import Utterance
from models.dr.phantom import draw
from models.maize.phantom import draw as draw_leaf
from services import settings
from services.bench.stack import Stack
from services.calls.clips import key_of
from services.programmes import installed
from services.screening.codes import clean
from services.store.database import Database
from services.store.tables import reading

WORKER, PATIENT = "+254711000001", "+254722000002"
SHARED = Path(os.environ.get("JICHO_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack({"JICHO_PROGRAMMES": "dr,maize"}) as running:
        running.command("worker", "add", WORKER, "Achieng", "--language", "en")
        yield running


def eye(*, lesions: bool, seed: int = 1) -> bytes:
    file = io.BytesIO()
    draw(seed, lesions=lesions).save(file, "JPEG", quality=88)
    return file.getvalue()


def open_screening(stack: Stack, language: str = "1") -> str:
    screen = stack.dial(WORKER)
    for answer in ("1", "1", "1961", PATIENT, language, "98", "1", "2"):
        screen = stack.dial(WORKER, answer)
    code = clean(screen.split("Code: ")[1][:6])
    assert code is not None
    return code


def sms_to(stack: Stack, msisdn: str, *words: str) -> list[str]:
    found = [
        e["text"] for e in stack.ledger() if e["kind"] == "sms" and e["sender"] == "gateway" and e["msisdn"] == msisdn
    ]
    return [message for message in found if all(word in message for word in words)]


def calls_of(stack: Stack, msisdn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.ask(f"calls?msisdn={msisdn.replace('+', '%2B')}")["calls"]
    return found


def ringing(stack: Stack, before: int = 0) -> Any:
    return calls_of(stack, PATIENT)[before:] or None


def samples(wav: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    with wave.open(io.BytesIO(wav)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), np.int16)


def hear(stack: Stack, call: dict[str, Any]) -> tuple[list[str], bytes]:
    """What the carrier plays: the names of what is said, and the sound, fetched over its signed link."""
    (url,) = call["plays"]
    answer = stack.http.get(f"{stack.carrier_url}/phone/api/audio", params={"url": url})
    answer.raise_for_status()
    return url.split("/audio/")[1].split(".wav")[0].split("-"), answer.content


def says(message: str, **params: object) -> str:
    return key_of(settings.load({}, dotenv=Path("none")), "sw", Utterance(message, params))


@pytest.mark.parametrize("via", ["mm7", "whatsapp", "twilio"])
def test_signs_refer_and_the_patient_hears_it_in_kiswahili(stack: Stack, via: str) -> None:
    before = len(ringing(stack) or [])
    ready = len(sms_to(stack, PATIENT))
    code = open_screening(stack)
    stack.send_picture(WORKER, eye(lesions=True), f"{code} left", via=via)
    (told,) = stack.wait_for(lambda: sms_to(stack, WORKER, code, "REFER"), "the worker's SMS")
    assert "left" in told
    # The patient's SMS says nothing of what was found, and not the code that opens it.
    stack.wait_for(lambda: len(sms_to(stack, PATIENT)) == ready + 1, "the patient's SMS")
    message = sms_to(stack, PATIENT)[-1]
    assert message == text("sw", "patient-ready", clinic="Jicho", ussd="*384*77#")
    assert code not in message

    (call,) = stack.wait_for(lambda: ringing(stack, before), "the call", seconds=90)
    answered = stack.ask(f"calls/{call['id']}/answer")["call"]
    assert answered["waits_for_keys"]
    assert hear(stack, answered)[0] == [says(each) for each in ("call-ready", "ask-result-code-voice", "voice-zero")]
    wrong = stack.ask(f"calls/{call['id']}/digits", digits="111112")["call"]
    assert hear(stack, wrong)[0] == [says("error-code"), says("ask-result-code-voice"), says("voice-zero")]
    right = stack.ask(f"calls/{call['id']}/digits", digits=code)["call"]
    said, verdict = hear(stack, right)
    assert said[0] == says("result-refer", place="place-eye-clinic")
    sound = samples(verdict)
    assert len(sound) > 8000 * 5, "a sentence of that length takes more than five seconds"
    assert np.abs(sound[:2400]).max() < 50, "it begins with silence, which carriers cut"
    assert np.sqrt(np.mean(np.square(sound[3200:].astype(float)))) > 500, "it can be heard"
    ended = stack.ask(f"calls/{call['id']}/digits", digits="2")["call"]
    assert ended["state"] == "ended"


def test_two_clear_eyes_are_screened_again_in_a_year(stack: Stack) -> None:
    code = open_screening(stack, language="2")
    stack.send_picture(WORKER, eye(lesions=False, seed=3), f"{code} kushoto", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, code, "Now send the right eye"), "the result of the first eye")
    stack.send_picture(WORKER, eye(lesions=False, seed=4), f"{code} R", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, code, "Both eyes are done"), "the result of the second eye")
    stack.dial(PATIENT)
    stack.dial(PATIENT, "1")  # a first contact chooses a language
    stack.dial(PATIENT, "1")
    assert stack.dial(PATIENT, code) == text("sw", "result-rescreen")


def test_what_is_no_photograph_gets_a_clear_reply(stack: Stack) -> None:
    code = open_screening(stack)
    stack.send_picture(WORKER, b"a note, not a picture", f"{code} left", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, text("en", "photo-not-image")), "the refusal")
    stack.send_picture(WORKER, eye(lesions=True)[:9000], f"{code} left", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, text("en", "photo-truncated")), "the refusal")


def test_the_same_photograph_is_no_second_attempt(stack: Stack) -> None:
    code = open_screening(stack)
    stack.send_picture(WORKER, eye(lesions=False, seed=5), f"{code} left", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, code, "Now send the right eye"), "the result")
    stack.send_picture(WORKER, eye(lesions=False, seed=5), f"{code} right", via="mm7")
    stack.wait_for(lambda: sms_to(stack, WORKER, text("en", "photo-of-other-eye")), "the refusal")


@pytest.mark.parametrize("picks_up", [True, False])
def test_a_patient_who_rings_talks_to_her_health_worker(stack: Stack, picks_up: bool) -> None:
    open_screening(stack)
    before, legs = len(ringing(stack) or []), len(calls_of(stack, WORKER))
    stack.ask("calls", msisdn=PATIENT)
    call = stack.wait_for(
        lambda: next((c for c in calls_of(stack, PATIENT)[before:] if c["state"] == "ringing"), None),
        "the call back",
        seconds=120,
    )
    stack.ask(f"calls/{call['id']}/answer")
    stack.ask(f"calls/{call['id']}/digits", digits="0")
    waits = stack.ask(f"calls/{call['id']}/digits", digits="4")["call"]
    assert hear(stack, waits)[0] == [says("connecting")]
    (leg,) = calls_of(stack, WORKER)[legs:]
    assert (waits["state"], leg["state"], leg["of"]) == ("active", "ringing", call["id"])

    def both() -> list[dict[str, Any]]:
        ours = (call["id"], leg["id"])
        return [each for msisdn in (PATIENT, WORKER) for each in calls_of(stack, msisdn) if each["id"] in ours]

    if picks_up:
        stack.ask(f"calls/{leg['id']}/answer")
        assert [each["talks"] for each in both()] == [True, True]
        stack.ask(f"calls/{leg['id']}/hangup")
    else:
        stack.ask(f"calls/{leg['id']}/hangup")
        assert hear(stack, both()[0])[0] == [says("unanswered-told")]
        stack.wait_for(lambda: sms_to(stack, WORKER, text("en", "person-rang", phone=PATIENT)), "the worker's SMS")
    assert [each["state"] for each in both()] == ["ended", "ended"]


@pytest.mark.parametrize("sign", ["Blight", None])
def test_a_farmer_sends_a_leaf_by_whatsapp_and_gets_advice_and_a_voice_note(stack: Stack, sign: str | None) -> None:
    farmer, file = "+254733000003" if sign else "+254733000004", io.BytesIO()
    draw_leaf(3 if sign else 2, 800, sign).save(file, "JPEG", quality=90)
    stack.send_picture(farmer, file.getvalue(), "mahindi", via="whatsapp", name="leaf.jpg")

    def came() -> list[dict[str, Any]]:
        found = stack.ask(f"whatsapp?msisdn={farmer.replace('+', '%2B')}")["messages"]
        return [each["message"] for each in found if each["sender"] == "gateway"]

    says = installed()["maize"].says[sign or "Healthy"]
    advice = "\n".join(text("sw", each) for each in says)
    stack.wait_for(lambda: [m for m in came() if m["type"] == "text" and m["text"]["body"] == advice], "the advice")
    stack.wait_for(lambda: [m for m in came() if m["type"] == "audio"], "the voice note", seconds=120)
    assert len(came()) == 3, "received, the advice, the note; and no SMS of it"
    assert sms_to(stack, farmer) == []


def test_delivery_reports_move_messages_and_nothing_is_left(stack: Stack) -> None:
    def all_delivered() -> bool:
        states = stack.http.get(f"{stack.gateway_url}/readyz").json()["messages"]
        return set(states) <= {"delivered", "sent", "failed"} and states.get("delivered", 0) > 8

    stack.wait_for(all_delivered, "the delivery reports")


def test_a_photograph_of_the_data_set_travels_the_whole_way(stack: Stack) -> None:
    images = SHARED / "data" / "dr" / "images"
    if not images.is_dir():
        pytest.skip("the data set is not here: set JICHO_SHARED to the folder that holds data/")
    rows = (SHARED / "data" / "dr" / "labels.csv").read_text().splitlines()
    name = next(row.split(",")[0] for row in rows[1:] if ",4,test,IDRiD" in row)
    code = open_screening(stack)
    stack.send_picture(WORKER, (images / name).read_bytes(), f"{code} right", via="whatsapp")
    stack.wait_for(lambda: sms_to(stack, WORKER, code, "right eye: REFER"), "the result")


def test_what_is_stored_says_which_model_spoke(stack: Stack) -> None:
    db = Database(f"sqlite:///{stack.directory / 'jicho.db'}")
    with db.read() as tx:
        rows = tx.execute(sa.select(reading)).all()
    db.close()
    assert rows
    for row in rows:
        assert len(row.model_sha256) == 64
        assert row.tier == "full"
        assert 0 < row.threshold < 1
        assert row.milliseconds["model"] > 0
