"""What a finding may conclude, and what several reviewers conclude together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.opinions import together
from services.screening.opinions import Circumstances, EyeFinding, Opinion, Unsound, check

NONE, MILD, MODERATE = EyeFinding(0), EyeFinding(1), EyeFinding(2)
SWOLLEN, UNGRADABLE = EyeFinding(1, oedema=True), EyeFinding(None)


def problem_of(opinion: Opinion, known: Circumstances) -> str | None:
    try:
        check(opinion, known)
    except Unsound as error:
        return str(error)
    return None


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
        (None, NONE, "refer", False, "unsound-eyes"),
    ],
)
def test_the_outcome_follows_from_the_findings(
    left: EyeFinding | None, right: EyeFinding | None, outcome: Any, urgent: bool, problem: str | None
) -> None:
    eyes = {eye: found for eye, found in (("left", left), ("right", right)) if found is not None}
    known = Circumstances({"left": ["refer"], "right": ["rescreen"]}, {"left", "right"}, urgent=urgent)
    assert problem_of(Opinion(eyes, outcome), known) == problem


@pytest.mark.parametrize(
    ("unseen", "outcome", "called_normal", "problem"),
    [
        (["rescreen"], "rescreen", False, None),
        (["doubtful", "rescreen"], "rescreen", False, None),
        (["refer"], "rescreen", False, "unsound-other-eye"),
        (["refer"], "retake", False, "unsound-other-eye"),
        (["retake", "doubtful"], "rescreen", False, "unsound-other-eye"),
        (["retake"], "rescreen", False, "unsound-ungradable"),
        (["rescreen"], "retake", False, "unsound-retake"),
        (["refer"], "refer", False, None),
        ([], "rescreen", False, "unsound-one-eye"),
        ([], "retake", False, None),
        ([], "rescreen", True, None),
    ],
)
def test_an_eye_that_the_reviewer_cannot_see(
    unseen: Any, outcome: Any, called_normal: bool, problem: str | None
) -> None:
    readings = {"left": ["refer"], "right": unseen}
    known = Circumstances(readings, {"left"}, called_normal=called_normal)
    assert problem_of(Opinion({"left": NONE}, outcome), known) == problem
    assert problem_of(Opinion({"left": NONE, "right": NONE}, outcome), known) == "unsound-eyes"


def test_nothing_is_judged_without_a_photograph() -> None:
    assert problem_of(Opinion({}, "refer"), Circumstances({"left": ["refer"]}, set())) == "unsound-nothing"


def test_nothing_but_a_known_note_goes_to_a_health_worker() -> None:
    known = Circumstances({"left": ["refer"]}, {"left"})
    assert problem_of(Opinion({"left": NONE}, "refer", "call me: 0711"), known) == "unsound-note"


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
