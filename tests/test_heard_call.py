"""Whole calls in Kiswahili, heard: the sound that the carrier plays is recognised among everything it might have said.

Verdicts are compared with espeak-ng's speech, which shares no sound with the service's voice; numbers, where two
sentences differ in one word alone, with the voice's own at another pace. Both are closed sets: the nearest wins.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import soundfile

from flows.catalogue import messages, text
from models.dr.phantom import draw
from services.bench.stack import Stack
from services.screening.codes import clean
from services.speech.agreement import agree
from services.speech.numbers import in_words
from voices import voice_for
from voices.lab.hearing import Features, features, nearest
from voices.lab.speakers import formant, piper, telephoned

WORKER = "+254711000001"
SAID = {
    name: text("sw", name, clinic="Jicho", place="place-eye-clinic", ussd="*384*77#")
    for name in messages("sw")
    if name.startswith("result-")
}
OTHER = replace(voice_for("sw"), length_scale=1.0, noise_scale=0, noise_w_scale=0)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        running.command("worker", "add", WORKER, "Achieng", "--language", "en")
        yield running


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Features]:
    return {name: features(*wave) for name, wave in zip(SAID, formant("sw", list(SAID.values())), strict=True)}


@pytest.mark.parametrize(
    ("patient", "lesions", "verdict"),
    [("+254722000003", True, "result-refer"), ("+254722000004", False, "result-rescreen")],
)
def test_the_verdict_and_the_numbers_of_a_call_are_heard(
    stack: Stack, verdicts: dict[str, Features], patient: str, lesions: bool, verdict: str
) -> None:
    code = open_screening(stack, patient)
    for eye, seed in (("left", 11), ("right", 12)):
        stack.send_picture(WORKER, photograph(lesions=lesions, seed=seed), f"{code} {eye}", via="mm7")
        stack.wait_for(lambda eye=eye: told(stack, code, f"{eye} eye"), f"the result of the {eye} eye")
    (call,) = stack.wait_for(lambda: calls_to(stack, patient), "the call", seconds=120)

    greeting = heard(stack, stack.ask(f"calls/{call['id']}/answer")["call"])
    assert number(greeting, "Bonyeza tarakimu {} za nambari yako.", range(2, 10)) == 6

    told_now = heard(stack, stack.ask(f"calls/{call['id']}/digits", digits=code)["call"])
    ranked = nearest(verdicts, told_now)
    assert ranked[0][0] == verdict, ranked
    assert ranked[1][1] > 1.05 * ranked[0][1], "another verdict is nearly as close"
    if verdict == "result-rescreen":
        assert number(told_now, "Chunguzwa macho tena baada ya miezi {}, au mapema zaidi", range(2, 13), "miezi") == 12
    again = messages("sw")["ask-again-repeat"]
    assert number(told_now, f"{again}: bonyeza {{}}.", range(1, 10)) == 1


def number(recording: Features, sentence: str, among: range, noun: str = "") -> int:
    """Which of the numbers the sentence has in the recording; `noun` is what it counts."""
    said = {str(each): sentence.format(agree(noun, in_words("sw", each))) for each in among}
    templates = {each: features(*telephoned(piper(OTHER, words))) for each, words in said.items()}
    return int(nearest(templates, recording)[0][0])


def heard(stack: Stack, call: dict[str, Any]) -> Features:
    """What the carrier plays, one sound after the other, fetched over their links."""
    sounds = []
    for url in call["plays"]:
        answer = stack.http.get(f"{stack.carrier_url}/phone/api/audio", params={"url": url})
        answer.raise_for_status()
        samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
        assert rate == 8000
        sounds += samples.tolist()
    return features(sounds, 8000)


def photograph(*, lesions: bool, seed: int) -> bytes:
    file = io.BytesIO()
    draw(seed, lesions=lesions).save(file, "JPEG", quality=88)
    return file.getvalue()


def open_screening(stack: Stack, patient: str) -> str:
    screen = stack.dial(WORKER)
    for answer in ("1", "1", "1961", patient, "1", "98", "1", "2"):
        screen = stack.dial(WORKER, answer)
    code = clean(screen.split("Code: ")[1][:6])
    assert code is not None
    return code


def told(stack: Stack, *words: str) -> bool:
    sent = [each["text"] for each in stack.ledger() if each["kind"] == "sms" and each["msisdn"] == WORKER]
    return any(all(word in message for word in words) for message in sent)


def calls_to(stack: Stack, patient: str) -> Any:
    return stack.ask(f"calls?msisdn={patient.replace('+', '%2B')}")["calls"] or None
