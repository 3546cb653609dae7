"""Kiswahili numerals after the nouns they count."""

from __future__ import annotations

import pytest

from services.speech.agreement import agree
from services.speech.numbers import in_words


@pytest.mark.parametrize(
    ("noun", "number", "said"),
    [
        ("mwezi", 1, "mmoja"),
        ("miezi", 2, "miwili"),
        ("miezi", 6, "sita"),
        ("miezi", 12, "kumi na miwili"),
        ("Miaka", 3, "mitatu"),
        ("miaka", 45, "arobaini na mitano"),
        ("miaka", 68, "sitini na minane"),
        ("miaka", 100, "mia moja"),
        ("miaka", 200, "mia mbili"),
        ("miaka", 104, "mia moja na minne"),
        ("mtu", 1, "mmoja"),
        ("watu", 8, "wanane"),
        ("watu", 2000, "elfu mbili"),
        ("madaktari", 4, "wanne"),
        ("jicho", 1, "moja"),
        ("macho", 2, "mawili"),
        ("kidonge", 1, "kimoja"),
        ("vidonge", 3, "vitatu"),
        ("siku", 2, "mbili"),
        ("mara", 3, "tatu"),
        ("wiki", 8, "nane"),
        ("", 5, "tano"),
    ],
)
def test_a_numeral_agrees(noun: str, number: int, said: str) -> None:
    assert agree(noun, in_words("sw", number)) == said
