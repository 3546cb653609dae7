"""English writing to sounds."""

from __future__ import annotations

import pytest

from voices.en import phonemes


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("Hello. Thank you!", ["həlˈoʊ.", "θˈæŋk juː!"]),
        ("K, seven, M", ["kˈeɪ, sˈɛvən, ˈɛm"]),
        ("eye", ["ˈaɪ"]),
        ("isn\u2019t", ["ˈɪzənt"]),
        ("", []),
    ],
)
def test_a_text_becomes_the_voices_symbols(text: str, symbols: list[str]) -> None:
    assert phonemes(text) == symbols


@pytest.mark.parametrize("apostrophe", "'\u2019\u02bc\u2018`\u00b4")
def test_a_kenyan_name_is_one_word(apostrophe: str) -> None:
    assert phonemes(f"Nyong{apostrophe}o") == phonemes("Nyongo")
    assert phonemes(f"the evening{apostrophe}s") == phonemes("the evening's")
