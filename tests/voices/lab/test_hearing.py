"""Closed sets told apart by ear: signals made for it, and Kiswahili verdicts by the voice and by espeak-ng."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flows.catalogue import text
from voices import voice_for
from voices.lab.hearing import Features, apart, distance, features, nearest, speech
from voices.lab.speakers import formant, piper, telephoned

RATE = 8_000
VERDICTS = ("result-refer", "result-refer-urgent", "result-rescreen", "result-waiting", "result-locked")


def melody(*hertz: float, seconds: float = 0.2) -> np.ndarray:
    """A buzz of 120 Hz whose resonance moves from one frequency to the next, as vowels' do."""
    time = np.arange(int(seconds * RATE)) / RATE
    harmonics = np.arange(120, 3600, 120)
    buzz = np.sin(2 * np.pi * harmonics[:, None] * time)
    strengths = [np.exp(-np.abs(harmonics - tone) / 300) for tone in hertz]
    return np.concatenate([strength @ buzz for strength in strengths])


def heard(*hertz: float, seconds: float = 0.2) -> Features:
    return features(melody(*hertz, seconds=seconds), RATE)


def test_a_part_is_found_in_a_longer_recording_and_faster_or_slower() -> None:
    candidates = {"up": heard(500, 1100, 2300), "down": heard(2300, 1100, 500), "flat": heard(1100, 1100, 1100)}
    silence = np.zeros(RATE // 2)
    for seconds in (0.15, 0.2, 0.3):
        sound = [silence, melody(1100, 2300, 500), melody(500, 1100, 2300, seconds=seconds), melody(500, 2300, 1100)]
        assert nearest(candidates, features(np.concatenate(sound), RATE))[0][0] == "up"


def test_what_is_too_short_for_a_candidate_is_not_that() -> None:
    assert distance(heard(500, 1100, 2300), heard(500, seconds=0.1)) == float("inf")


def test_the_same_sound_is_nearer_than_another() -> None:
    assert apart(heard(500, 1100), heard(500, 1100, seconds=0.25)) < apart(heard(500, 1100), heard(1100, 500))


def test_silence_at_both_ends_is_taken_off() -> None:
    sound = np.concatenate([np.zeros(RATE), melody(500), np.zeros(RATE)])
    assert 0.2 <= len(speech(sound, RATE)) / RATE < 0.3


@pytest.mark.parametrize("verdict", ["result-refer", "result-rescreen"])
def test_a_verdict_is_recognised_by_another_speakers_templates(verdict: str) -> None:
    said = {name: text("sw", name, place="place-eye-clinic") for name in VERDICTS}
    spoken = formant("sw", list(said.values()))
    templates = {name: features(*wave) for name, wave in zip(said, spoken, strict=True)}
    found = nearest(templates, features(*telephoned(piper(voice_for("sw"), said[verdict]))))
    assert found[0][0] == verdict
    assert found[1][1] > 1.05 * found[0][1]


def test_a_number_is_recognised_in_its_sentence() -> None:
    months = ("miwili", "mitatu", "sita", "tisa", "kumi", "kumi na miwili")
    sentence = "Chunguzwa macho tena baada ya miezi {}, au mapema zaidi ukiona mabadiliko."
    # Without noise the candidates differ in the number alone.
    other = replace(voice_for("sw"), length_scale=1.0, noise_scale=0, noise_w_scale=0)
    templates = {number: features(*telephoned(piper(other, sentence.format(number)))) for number in months}
    for number in ("sita", "kumi na miwili"):
        said = f"Hakuna dalili zilizopatikana. {sentence.format(number)} Asante."
        found = nearest(templates, features(*telephoned(piper(voice_for("sw"), said))))
        assert found[0][0] == number
        assert found[1][1] > 1.05 * found[0][1]
