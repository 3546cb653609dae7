"""Kiswahili writing to sounds."""

from __future__ import annotations

import pytest

from voices.sw import phonemes


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("ng'ombe", ["ŋˈoːmbɛ"]),
        ("Ng'ang'a", ["ŋˈaːŋaː"]),
        ("Nyong'o", ["njˈoːŋoː"]),
        ("Achieng", ["aːtʃˈiːɛŋ"]),
        ("Ochieng na Owino.", ["oːtʃˈiːɛŋ naː oːwˈiːnoː."]),
        ("nyumba", ["njˈuːmbaː"]),
        ("gari ghali", ["ɡˈaːɹiː ɡˈaːliː"]),
        ("jicho", ["dʒˈiːtʃoː"]),
        ("thamani dhahabu", ["θaːmˈaːniː ðaːhˈaːbuː"]),
        ("mgonjwa", ["mɡˈoːndʒuːaː"]),
        ("mtu", ["ˈm̩tuː"]),
        ("Asante. Kwaheri.", ["aːsˈaːntɛ.", "kwaːhˈɛɹiː."]),
        ("Ng'ang'a, Ochieng'", ["ŋˈaːŋaː, oːtʃˈiːɛŋ"]),
        ("king'ora", ["kiːŋˈoːɹaː"]),
        ("ngoma", ["ŋɡˈoːmaː"]),
        ("Khamis", ["hˈaːmiːs"]),
        ("RUFAA", ["ɹuːfˈaːaː"]),
        ("Matokeo ya macho", ["mˌaːtoːkˈɛoː jaː mˈaːtʃoː"]),
        ("", []),
    ],
)
def test_a_text_becomes_the_voices_symbols(text: str, symbols: list[str]) -> None:
    assert phonemes(text) == symbols


@pytest.mark.parametrize("apostrophe", "'\u2019\u02bc\u2018`\u00b4")
@pytest.mark.parametrize("word", ["ng{}ombe", "Ng{}ombe", "NG{}OMBE"])
def test_every_apostrophe_makes_the_velar_nasal(word: str, apostrophe: str) -> None:
    assert phonemes(word.format(apostrophe)) == ["ŋˈoːmbɛ"]
