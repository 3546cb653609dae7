"""Long sentences in breaths."""

from __future__ import annotations

import pytest

from services.speech.phrasing import LONGEST, phrases


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("", [""]),
        ("one two", ["one two"]),
        ("one, two three four", ["one,", "two three", "four"]),  # the pause lies in reach, so it is where to breathe
        ("one two three four", ["one two", "three four"]),
        ("a, bcd efg hij klm", ["a, bcd efg", "hij klm"]),  # a breath after one letter is no breath
        ("patient of doctor", ["patient", "of doctor"]),
        ("abcdefghijklmnop", ["abcdefghijk", "lmnop"]),
    ],
)
def test_a_sentence_is_cut_where_one_would_breathe(sentence: str, parts: list[str]) -> None:
    assert phrases(sentence, longest=11) == parts


@pytest.mark.parametrize("words", [5, 40, 400])
@pytest.mark.parametrize("word", ["a", "ŋˈoːmbɛ", "mɡˈoːndʒuːɑː,", "x" * 200])
def test_nothing_is_lost_and_no_part_is_too_long(word: str, words: int) -> None:
    sentence = " ".join([word] * words)
    parts = phrases(sentence)
    assert all(0 < len(part) <= LONGEST for part in parts)
    assert "".join(parts).replace(" ", "") == sentence.replace(" ", "")
