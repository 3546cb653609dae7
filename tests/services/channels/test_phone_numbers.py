from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channels.phone_numbers import NotAPhone, from_carrier, is_person, normalise


@pytest.mark.parametrize(
    "typed",
    [
        "0711000001",
        "711000001",
        "254711000001",
        "+254711000001",
        "+2540711000001",
        "2540711000001",
        "+254 711 000 001",
        "0711-000-001",
        " (0711) 000001 ",
    ],
)
def test_one_mobile_number_however_it_is_typed(typed: str) -> None:
    assert normalise(typed) == "+254711000001"


@pytest.mark.parametrize(
    ("typed", "number"),
    [("0110000001", "+254110000001"), ("0768123456", "+254768123456"), ("0101234567", "+254101234567")],
)
def test_the_newer_prefixes(typed: str, number: str) -> None:
    assert normalise(typed) == number


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Achieng",
        "22345",  # short code
        "0202222222",  # landline in Nairobi
        "+255711000001",  # Tanzania
        "+447911123456",
        "00254711000001",
        "+2547",  # what the SDK's own check lets through
        "07110000011",
        "0711000001#",
        "*384*77#",
        "9" * 400,
    ],
)
def test_what_is_no_mobile_number_of_the_region(typed: str) -> None:
    with pytest.raises(NotAPhone):
        normalise(typed)


def test_another_region() -> None:
    assert normalise("0711000001", region="TZ") == "+255711000001"
    with pytest.raises(NotAPhone):
        normalise("+254711000001", region="TZ")


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(typed: str) -> None:
    try:
        number = normalise(typed)
    except NotAPhone:
        return
    assert is_person(number)
    assert normalise(number) == number


@pytest.mark.parametrize(
    ("sender", "person"),
    [
        ("+254711000001", True),
        ("22345", False),
        ("+22345", False),
        ("MPESA", False),
        ("Safaricom", False),
        ("8f14e45fceea167a5a36dedd4bea2543", False),
        ("", False),
    ],
)
def test_who_may_be_answered(sender: str, person: bool) -> None:
    assert is_person(from_carrier(sender)) is person
