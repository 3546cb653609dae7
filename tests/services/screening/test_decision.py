"""The clinical rules, as a table."""

from __future__ import annotations

import pytest

from services.screening.decision import Finding, Outcome, outcome_of_eye, outcome_of_patient

N, R, U, D = "rescreen", "refer", "retake", "doubtful"


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
        ([D], U),
        ([D, N], N),
        ([N, D], U),
        ([N, D, N], N),
        ([D, D], R),
        ([D, U], R),
        ([U, D], R),
        ([D, N, D], R),
        ([D, R], R),
    ],
)
def test_one_eye(readings: list[Finding], expected: Outcome | None) -> None:
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
        ([N], [D], False, None),
        ([N, D], [N], False, None),
        ([N], [D], True, None),
        ([D], [], True, None),
        ([N], [D, D], False, R),
        ([N], [D, N], False, N),
        ([N], [N], False, N),
        ([U, N], [N], False, N),
        ([R], [], False, R),
        ([N], [R], False, R),
        ([R], [U], False, R),
        ([U, U], [N], False, R),
    ],
)
def test_both_eyes_and_whoever_suddenly_lost_sight_is_never_called_normal(
    left: list[Finding], right: list[Finding], one_eye: bool, expected: Outcome | None
) -> None:
    assert outcome_of_patient({"left": left, "right": right}, one_eye=one_eye) == expected
    expected = R if expected == N else expected
    assert outcome_of_patient({"left": left, "right": right}, one_eye=one_eye, urgent=True) == expected
