"""Amounts as carriers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.money import NANO, dollars, nano_usd


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("USD 0.0079", 7_900_000),
        ("USD 1", NANO),
        ("USD0.003", 3_000_000),
        ("KES 129", NANO),
        ("KES 0.8000", 6_201_550),
        (" KES 1.05 ", 8_139_535),
        ("KES 0.0000", 0),
        ("", None),
        ("0", None),
        ("0.8", None),
        ("UGX 35.00", None),
        ("KES -1", None),
        ("KES 1,000", None),
        ("KES nan", None),
        ("KES 1e9", None),
    ],
)
def test_amounts(amount: str, expected: int | None) -> None:
    assert nano_usd(amount, 129.0) == expected


@given(st.text(max_size=40))
def test_anything_else_is_none_or_an_amount(amount: str) -> None:
    found = nano_usd(amount, 129.0)
    assert found is None or found >= 0


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_what_is_read_is_what_was_written(whole: int, millionths: int) -> None:
    nano = nano_usd(f"USD {whole % 10**9}.{millionths % 10**6:06}", 129.0)
    assert nano == whole % 10**9 * NANO + millionths % 10**6 * 1000
    assert dollars(nano) == pytest.approx(nano / NANO, abs=1e-6)
