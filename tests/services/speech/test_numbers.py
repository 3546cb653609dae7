"""Whole numbers in three languages."""

from __future__ import annotations

import pytest

from services.speech.numbers import LARGEST, in_words

TABLE = [
    (0, "zero", "sifuri", "nono"),
    (1, "one", "moja", "achiel"),
    (2, "two", "mbili", "ariyo"),
    (3, "three", "tatu", "adek"),
    (4, "four", "nne", "ang'wen"),
    (5, "five", "tano", "abich"),
    (6, "six", "sita", "auchiel"),
    (7, "seven", "saba", "abiriyo"),
    (8, "eight", "nane", "aboro"),
    (9, "nine", "tisa", "ochiko"),
    (10, "ten", "kumi", "apar"),
    (11, "eleven", "kumi na moja", "apar gachiel"),
    (12, "twelve", "kumi na mbili", "apar gariyo"),
    (19, "nineteen", "kumi na tisa", "apar gochiko"),
    (20, "twenty", "ishirini", "piero ariyo"),
    (21, "twenty-one", "ishirini na moja", "piero ariyo gachiel"),
    (34, "thirty-four", "thelathini na nne", "piero adek gang'wen"),
    (40, "forty", "arobaini", "piero ang'wen"),
    (56, "fifty-six", "hamsini na sita", "piero abich gauchiel"),
    (60, "sixty", "sitini", "piero auchiel"),
    (77, "seventy-seven", "sabini na saba", "piero abiriyo gabiriyo"),
    (88, "eighty-eight", "themanini na nane", "piero aboro gaboro"),
    (99, "ninety-nine", "tisini na tisa", "piero ochiko gochiko"),
    (100, "one hundred", "mia moja", "mia achiel"),
    (101, "one hundred and one", "mia moja na moja", "mia achiel gi achiel"),
    (140, "one hundred and forty", "mia moja na arobaini", "mia achiel gi piero ang'wen"),
    (999, "nine hundred and ninety-nine", "mia tisa na tisini na tisa", "mia ochiko gi piero ochiko gochiko"),
    (1000, "one thousand", "elfu moja", "alufu achiel"),
    (1001, "one thousand and one", "elfu moja na moja", "alufu achiel gi achiel"),
    (2026, "two thousand and twenty-six", "elfu mbili na ishirini na sita", "alufu ariyo gi piero ariyo gauchiel"),
    (3400, "three thousand four hundred", "elfu tatu mia nne", "alufu adek gi mia ang'wen"),
]


@pytest.mark.parametrize(("number", "en", "sw", "luo"), TABLE)
def test_a_number_in_words(number: int, en: str, sw: str, luo: str) -> None:
    assert (in_words("en", number), in_words("sw", number), in_words("luo", number)) == (en, sw, luo)


@pytest.mark.parametrize("language", ["en", "sw", "luo"])
def test_no_two_numbers_sound_the_same(language: str) -> None:
    assert len({in_words(language, number) for number in range(LARGEST + 1)}) == LARGEST + 1


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_other_numbers_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="is not between"):
        in_words("sw", number)
