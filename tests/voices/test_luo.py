"""Dholuo writing to sounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from voices.luo import phonemes
from voices.luo.g2p import ipa_of_word

WORDS = [
    line.split("\t")
    for line in Path(__file__).with_name("luo_words.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert len({word for word, _ in WORDS}) >= 150


@pytest.mark.parametrize(("word", "ipa"), WORDS)
def test_a_word_sounds_as_listed(word: str, ipa: str) -> None:
    assert ipa_of_word(word) == ipa


@pytest.mark.parametrize("apostrophe", "'\u2019\u02bc\u2018`\u00b4")
def test_every_apostrophe_makes_the_velar_nasal(apostrophe: str) -> None:
    assert phonemes(f"ng{apostrophe}ato wang{apostrophe}") == phonemes("ng'ato wang'") == ["ŋˈaːtoː wˈaːŋ"]


@pytest.mark.parametrize(
    ("contrast", "other"),
    [("tho", "to"), ("dhe", "de"), ("ng'ato", "ngato"), ("nyalo", "nalo"), ("chak", "jak"), ("kindhe", "kinde")],
)
def test_sounds_that_tell_words_apart_stay_apart(contrast: str, other: str) -> None:
    assert phonemes(contrast) != phonemes(other)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("thieth", ["θjˈɛθ"]),
        ("dhako", ["ðˈaːkoː"]),
        ("chiemo", ["tʃjˈɛmoː"]),
        ("jaduong'", ["dʒˈaːdwoːŋ"]),
        ("rieny", ["ɹjˈɛnj"]),
        ("Achieng", ["ˈaːtʃjɛŋ"]),
        ("Misawa. Oriti!", ["miːsˈaːwaː.", "oːɹˈiːtiː!"]),
        ("Kendo, matin", ["kˈɛndoː, mˈaːtiːn"]),
        ("WANG'", ["wˈaːŋ"]),
        ("Wang'i nigi ranyisi.", ["wˈaːŋiː nˈiːɡiː ɹaːnjˈiːsiː."]),
        ("HIV", ["ɛtʃˈaːjviː"]),
        ("", []),
        ("...", []),
    ],
)
def test_the_voice_is_sent_its_own_symbols(text: str, symbols: list[str]) -> None:
    assert phonemes(text) == symbols
