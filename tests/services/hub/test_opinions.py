"""What a finding may conclude, and what several reviewers conclude together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.opinions import EyeFinding, Opinion, Unsound, check, together

NONE, MILD, MODERATE = EyeFinding(0), EyeFinding(1), EyeFinding(2)
SWOLLEN, UNGRADABLE = EyeFinding(1, oedema=True), EyeFinding(None)


@pytest.mark.parametrize(
    ("left", "right", "outcome", "urgent", "problem"),
    [
        (NONE, MILD, "rescreen", False, None),
        (NONE, MODERATE, "refer", False, None),
        (SWOLLEN, NONE, "refer", False, None),
        (UNGRADABLE, NONE, "retake", False, None),
        (UNGRADABLE, MODERATE, "refer", False, None),
        (UNGRADABLE, NONE, "refer", False, None),
        (NONE, NONE, "refer", False, None),  # a reviewer may see something else that a doctor should
        (NONE, NONE, "refer", True, None),
        (NONE, MODERATE, "rescreen", False, "unsound-referable"),
        (SWOLLEN, NONE, "rescreen", False, "unsound-referable"),
        (UNGRADABLE, MODERATE, "retake", False, "unsound-referable"),
        (UNGRADABLE, NONE, "rescreen", False, "unsound-ungradable"),
        (NONE, NONE, "rescreen", True, "unsound-urgent"),
        (NONE, NONE, "retake", False, "unsound-retake"),
        (EyeFinding(5), NONE, "refer", False, "unsound-grade"),
        (NONE, None, "rescreen", False, "unsound-eyes"),
    ],
)
def test_the_outcome_follows_from_the_findings(
    left: EyeFinding, right: EyeFinding | None, outcome: Any, urgent: bool, problem: str | None
) -> None:
    eyes = {"left": left} | ({"right": right} if right else {})

    def judged() -> str | None:
        try:
            check(Opinion(eyes, outcome), photographed={"left", "right"}, urgent=urgent)
        except Unsound as error:
            return str(error)
        return None

    assert judged() == problem


def test_nothing_but_a_known_note_goes_to_a_health_worker() -> None:
    with pytest.raises(Unsound, match="unsound-note"):
        check(Opinion({"left": NONE}, "rescreen", "call me: 0711"), photographed={"left"}, urgent=False)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["rescreen"], ("reviewed", "rescreen")),
        (["refer", "refer"], ("agreed", "refer")),
        (["rescreen", "refer"], ("disputed", "refer")),
        (["refer", "rescreen"], ("disputed", "refer")),
        (["rescreen", "retake"], ("disputed", "retake")),
        (["refer", "rescreen", "rescreen"], ("settled", "rescreen")),
        (["refer", "rescreen", "retake"], ("disputed", "refer")),
        (["refer", "rescreen", "retake", "rescreen"], ("disputed", "refer")),
    ],
)
def test_several_reviewers(outcomes: list[Any], expected: tuple[str, str]) -> None:
    assert together(outcomes) == expected


@given(st.lists(st.sampled_from(["refer", "rescreen", "retake"]), min_size=1, max_size=7))
def test_no_referral_is_taken_back_without_a_majority(outcomes: list[Any]) -> None:
    _, outcome = together(outcomes)
    if "refer" in outcomes and outcome != "refer":
        assert outcomes.count(outcome) * 2 > len(outcomes)
