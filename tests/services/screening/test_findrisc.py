"""The published points: examples by hand, every boundary, and laws that hold for everybody."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.screening.findrisc import (
    MOST,
    ONE_IN,
    TEST_FROM,
    Answers,
    Score,
    body_mass_index,
    category,
    is_plausible,
    score,
)

ROOT = Path(__file__).parents[3]
HEALTHY = Answers(
    age=30,
    sex="female",
    height_cm=165,
    weight_kg=58,
    waist_cm=72,
    active_daily=True,
    greens_daily=True,
    pressure_medicine=False,
    high_glucose=False,
    family="none",
)
WORST = Answers(70, "male", 170, 110, 120, False, False, True, True, "near")
PEOPLE = st.builds(
    Answers,
    age=st.integers(18, 110),
    sex=st.sampled_from(["female", "male"]),
    height_cm=st.none() | st.integers(100, 230),
    weight_kg=st.none() | st.integers(25, 250),
    waist_cm=st.none() | st.integers(50, 200),
    active_daily=st.booleans(),
    greens_daily=st.booleans(),
    pressure_medicine=st.booleans(),
    high_glucose=st.booleans(),
    family=st.sampled_from(["none", "far", "near"]),
)
ANYBODY = settings(derandomize=True, deadline=None, database=None, max_examples=300)


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, 0),
        ({"age": 44}, 0),
        ({"age": 45}, 2),
        ({"age": 54}, 2),
        ({"age": 55}, 3),
        ({"age": 64}, 3),
        ({"age": 65}, 4),
        ({"height_cm": 200, "weight_kg": 99}, 0),
        ({"height_cm": 200, "weight_kg": 100}, 1),
        ({"height_cm": 200, "weight_kg": 120}, 1),
        ({"height_cm": 200, "weight_kg": 121}, 3),
        ({"waist_cm": 79}, 0),
        ({"waist_cm": 80}, 3),
        ({"waist_cm": 88}, 3),
        ({"waist_cm": 89}, 4),
        ({"sex": "male", "waist_cm": 93}, 0),
        ({"sex": "male", "waist_cm": 94}, 3),
        ({"sex": "male", "waist_cm": 102}, 3),
        ({"sex": "male", "waist_cm": 103}, 4),
        ({"active_daily": False}, 2),
        ({"greens_daily": False}, 1),
        ({"pressure_medicine": True}, 2),
        ({"high_glucose": True}, 5),
        ({"family": "far"}, 3),
        ({"family": "near"}, 5),
    ],
)
def test_each_published_point(changed: dict[str, Any], points: int) -> None:
    assert score(replace(HEALTHY, **changed)) == Score(points, points, ())


@pytest.mark.parametrize(
    ("person", "points", "name"),
    [
        (HEALTHY, 0, "low"),
        (WORST, 26, "very-high"),
        (Answers(50, "male", 175, 85, 98, True, True, False, False, "none"), 6, "low"),
        (Answers(58, "female", 160, 68, 84, True, False, False, False, "far"), 11, "slight"),
        (Answers(47, "female", 158, 80, 95, False, False, False, False, "none"), 12, "moderate"),
        (Answers(61, "male", 168, 78, 101, False, True, True, False, "near"), 16, "high"),
        (Answers(66, "female", 150, 70, 96, False, True, True, True, "near"), 25, "very-high"),
    ],
)
def test_people_added_up_by_hand(person: Answers, points: int, name: str) -> None:
    found = score(person)
    assert (found.low, found.high, found.category) == (points, points, name)
    assert found.test_advised == (name in ("moderate", "high", "very-high"))


def test_the_published_classes_and_their_risks() -> None:
    classes = [category(points) for points in range(MOST + 1)]
    assert classes == ["low"] * 7 + ["slight"] * 5 + ["moderate"] * 3 + ["high"] * 6 + ["very-high"] * 6
    assert [ONE_IN[name] for name in dict.fromkeys(classes)] == [100, 25, 6, 3, 2]
    assert classes.index("moderate") == TEST_FROM


@pytest.mark.parametrize("points", [-1, 27])
def test_no_such_score(points: int) -> None:
    with pytest.raises(ValueError, match="no FINDRISC score"):
        category(points)


@pytest.mark.parametrize(
    ("unknown", "low", "high", "missing"),
    [
        ({"height_cm": None}, 0, 3, ("bmi",)),
        ({"weight_kg": None}, 0, 3, ("bmi",)),
        ({"waist_cm": None}, 0, 4, ("waist",)),
        ({"height_cm": None, "weight_kg": None, "waist_cm": None}, 0, 7, ("bmi", "waist")),
    ],
)
def test_what_is_unknown_widens_the_score_and_the_safe_end_decides(
    unknown: dict[str, Any], low: int, high: int, missing: tuple[str, ...]
) -> None:
    found = score(replace(HEALTHY, **unknown))
    assert found == Score(low, high, missing)
    assert found.category == category(high)


@given(PEOPLE)
@ANYBODY
def test_every_score_is_within_the_published_range(person: Answers) -> None:
    found = score(person)
    assert 0 <= found.low <= found.high <= MOST
    assert (found.low == found.high) == (not found.missing)


@given(PEOPLE, st.integers(100, 230), st.integers(25, 250), st.integers(50, 200))
@ANYBODY
def test_an_unknown_measure_never_lowers_the_decision(person: Answers, height: int, weight: int, waist: int) -> None:
    known = replace(person, height_cm=height, weight_kg=weight, waist_cm=waist)
    for unknown in ({"height_cm": None}, {"weight_kg": None}, {"waist_cm": None}):
        wider, exact = score(replace(known, **unknown)), score(known)  # type: ignore[arg-type]
        assert wider.low <= exact.low
        assert wider.high >= exact.high
        assert wider.test_advised or not exact.test_advised


@given(PEOPLE)
@ANYBODY
def test_no_risk_factor_ever_takes_points_away(person: Answers) -> None:
    factors: dict[str, list[Any]] = {
        "age": list(range(18, 111)),
        "weight_kg": list(range(25, 251, 5)),
        "waist_cm": list(range(50, 201)),
        "active_daily": [True, False],
        "greens_daily": [True, False],
        "pressure_medicine": [False, True],
        "high_glucose": [False, True],
        "family": ["none", "far", "near"],
    }
    for name, rising in factors.items():
        points = [score(replace(person, **{name: value})).high for value in rising]
        assert all(before <= after for before, after in pairwise(points)), name
    if person.weight_kg is not None:
        shrinking = [score(replace(person, height_cm=height)).high for height in range(230, 99, -1)]
        assert all(before <= after for before, after in pairwise(shrinking))


def test_body_mass() -> None:
    assert body_mass_index(200, 120) == 30
    assert body_mass_index(None, 70) is None
    assert body_mass_index(170, None) is None
    assert is_plausible(170, 70)
    assert not is_plausible(100, 100)
    assert not is_plausible(200, 30)


def test_scoring_loads_nothing_else_of_the_service() -> None:
    code = (
        "import sys, services.screening.findrisc as f;"
        "print({m for m in sys.modules if m.startswith('services.')} - {'services.screening', f.__name__})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
