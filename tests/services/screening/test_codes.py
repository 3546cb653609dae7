"""Codes survive how people write them and refuse how people mistype them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.screening import codes

CODE = st.integers(10_000, 99_999).map(lambda n: str(n) + str(codes._remainder(str(n))))


def test_new_codes_are_codes() -> None:
    made = {codes.new_code() for _ in range(500)}
    assert all(codes.clean(code) == code for code in made)
    assert len(made) > 480


@pytest.mark.parametrize("style", ["{0}{1}", "{0} {1}", "{0}-{1}", " {0}.{1} "])
def test_people_write_codes_in_pieces(style: str) -> None:
    code = codes.new_code()
    assert codes.clean(style.format(code[:3], code[3:])) == code


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "000000", "*384#"])
def test_what_is_no_code(text: str) -> None:
    assert codes.clean(text) is None


@given(CODE, st.integers(0, 5), st.integers(0, 9))
@hypothesis_settings(derandomize=True)
def test_one_wrong_digit_is_caught(code: str, place: int, digit: int) -> None:
    mistyped = code[:place] + str(digit) + code[place + 1 :]
    assert codes.clean(mistyped) == (code if mistyped == code else None)


@given(CODE, st.integers(0, 4))
@hypothesis_settings(derandomize=True)
def test_swapped_neighbours_are_caught(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert codes.clean(swapped) == (code if swapped == code else None)
