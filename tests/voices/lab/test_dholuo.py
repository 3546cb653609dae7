"""Dholuo words that differ in one sound differ in what a telephone carries."""

from __future__ import annotations

import numpy as np
import pytest

from voices import voice_for
from voices.lab.dholuo import CONTRASTS, ipa_of_symbols, merged, round_trip, separation, separation_of, vocabulary
from voices.luo import phonemes
from voices.luo.g2p import ipa_of_word


@pytest.mark.parametrize("words", [("to", "tho"), ("kode", "kodhe"), ("kano", "kang'o", "kanyo"), ("obo", "ombo")])
def test_the_voice_keeps_the_sounds_apart(words: tuple[str, ...]) -> None:
    assert any(words in pairs for pairs in CONTRASTS.values())
    found = separation(voice_for("luo"), words, times=3)
    assert found.separable, found


def test_the_same_word_said_twice_is_not_told_apart() -> None:
    said = separation(voice_for("luo"), ["tho", "THO"], times=3)
    assert said.nearest < 0.95
    assert said.margin < 1


def test_recordings_are_compared_with_all_others() -> None:
    low, high = np.zeros((5, 2), np.float32), np.ones((5, 2), np.float32)
    apart = separation_of([("a", low), ("a", low), ("b", high), ("b", high)])
    mixed = separation_of([("a", low), ("b", low), ("b", high), ("a", high)])
    assert (apart.words, apart.nearest, apart.separable) == (("a", "b"), 1, True)
    assert (mixed.nearest, mixed.separable) == (0, False)


def test_no_two_words_of_the_catalogue_fall_together() -> None:
    words = vocabulary()
    assert len(words) > 300
    assert merged(words) == []


def test_every_word_of_the_catalogue_comes_back_from_the_voices_symbols() -> None:
    assert round_trip(vocabulary()) == []


def test_words_that_the_voice_cannot_tell_apart_are_found() -> None:
    assert merged(["mania", "manya", "mana"]) == [("mania", "manya")]


@pytest.mark.parametrize(
    "word", ["thieth", "dhako", "wang'", "ng'ato", "chiemo", "puonj", "nyathi", "ngima", "ndhandhu"]
)
def test_the_voices_symbols_lead_back_to_the_sounds(word: str) -> None:
    assert ipa_of_symbols("".join(phonemes(word))) == ipa_of_word(word)
