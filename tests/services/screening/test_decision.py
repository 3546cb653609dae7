"""The clinical rules, as a table."""

from __future__ import annotations

import pytest

from services.screening.decision import Outcome, outcome_of_eye, outcome_of_patient

N, R, U = "rescreen", "refer", "retake"


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], None),
        ([N], N),
        ([R], R),
        ([U], U),
        ([U, N], N),
        ([N, U], N),
        ([U, U], R),
        ([U, N, U], R),
        ([R, N], R),
        ([N, R], R),
    ],
)
def test_one_eye(readings: list[Outcome], expected: Outcome | None) -> None:
    assert outcome_of_eye(readings) == expected


@pytest.mark.parametrize(
    ("left", "right", "one_eye", "expected"),
    [
        ([], [], False, None),
        ([N], [], False, None),
        ([N], [], True, N),
        ([], [N], True, N),
        ([U], [], True, None),
        ([N], [U], True, None),
        ([N], [U], False, None),
        ([N], [N], False, N),
        ([U, N], [N], False, N),
        ([R], [], False, R),
        ([N], [R], False, R),
        ([R], [U], False, R),
        ([U, U], [N], False, R),
    ],
)
def test_both_eyes(left: list[Outcome], right: list[Outcome], one_eye: bool, expected: Outcome | None) -> None:
    assert outcome_of_patient({"left": left, "right": right}, one_eye=one_eye) == expected
