"""Kiswahili writing to sounds."""

from __future__ import annotations

import pytest

from voices.sw import phonemes


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("ng'ombe", ["ŋˈoːmbɛ"]),
        ("Ng'ang'a", ["ŋˈɑːŋɑː"]),
        ("Nyong'o", ["njˈoːŋoː"]),
        ("Achieng", ["ɑːtʃˈiːɛŋ"]),
        ("Ochieng na Owino.", ["oːtʃˈiːɛŋ nɑː oːwˈiːnoː."]),
        ("nyumba", ["njˈuːmbɑː"]),
        ("gari ghali", ["ɡˈɑːɹiː ɡˈɑːliː"]),
        ("jicho", ["dʒˈiːtʃoː"]),
        ("thamani dhahabu", ["θɑːmˈɑːniː ðɑːhˈɑːbuː"]),
        ("mgonjwa", ["mɡˈoːndʒuːɑː"]),
        ("mtu", ["ˈm̩tuː"]),
        ("Asante. Kwaheri.", ["ɑːsˈɑːntɛ.", "kwɑːhˈɛɹiː."]),
        ("Ng'ang'a, Ochieng'", ["ŋˈɑːŋɑː, oːtʃˈiːɛŋ"]),
        ("king'ora", ["kiːŋˈoːɹɑː"]),
        ("ngoma", ["ŋɡˈoːmɑː"]),
        ("Khamis", ["hˈɑːmiːs"]),
        ("RUFAA", ["ɹuːfˈɑːɑː"]),
        ("Matokeo ya macho", ["mˌɑːtoːkˈɛoː jɑː mˈɑːtʃoː"]),
        ("", []),
    ],
)
def test_a_text_becomes_the_voices_symbols(text: str, symbols: list[str]) -> None:
    assert phonemes(text) == symbols


@pytest.mark.parametrize("apostrophe", "'\u2019\u02bc\u2018`\u00b4")
@pytest.mark.parametrize("word", ["ng{}ombe", "Ng{}ombe", "NG{}OMBE"])
def test_every_apostrophe_makes_the_velar_nasal(word: str, apostrophe: str) -> None:
    assert phonemes(word.format(apostrophe)) == ["ŋˈoːmbɛ"]
