"""FINDRISC: eight questions, 0–26 points, a published risk of type 2 diabetes within ten years.

Source: J. Lindström, J. Tuomilehto, "The Diabetes Risk Score", Diabetes Care 2003; 26:725–731, in the form that the
Finnish Diabetes Association publishes, which adds the points of family history and of ages over 64 (up to 26 instead of
20). Where a measure falls on a boundary the form decides: a waist of 102 cm or a BMI of 30 is still the middle class.

The points say who should have a blood-sugar test. They say nothing about eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

INSTRUMENT = "findrisc-2003-form"
MOST = 26
TEST_FROM = 12  # points; from the moderate class on, a blood-sugar test is advised

Sex = Literal["female", "male"]
Family = Literal["none", "far", "near"]
Category = Literal["low", "slight", "moderate", "high", "very-high"]

ONE_IN: Mapping[Category, int] = {"low": 100, "slight": 25, "moderate": 6, "high": 3, "very-high": 2}
"""How many people of a class there are to each one who developed diabetes within ten years, as the form states."""

_WAIST: Mapping[Sex, tuple[int, int]] = {"female": (80, 88), "male": (94, 102)}  # cm
_FAMILY: Mapping[Family, int] = {"none": 0, "far": 3, "near": 5}
_LEAST_BMI, _MOST_BMI = 10, 80  # kg/m²; beyond them somebody mistyped


@dataclass(frozen=True)
class Answers:
    """One person's answers. `height_cm`, `weight_kg` and `waist_cm` may be unknown.

    `family` is "near" for a parent, brother, sister or child with diabetes, "far" for a grandparent, aunt, uncle or
    first cousin only.
    """

    age: int
    sex: Sex
    height_cm: int | None
    weight_kg: int | None
    waist_cm: int | None
    active_daily: bool
    greens_daily: bool
    pressure_medicine: bool
    high_glucose: bool
    family: Family


@dataclass(frozen=True)
class Score:
    """The points, from `low` to `high` where measures are missing; the safe end, `high`, decides."""

    low: int
    high: int
    missing: tuple[str, ...]

    @property
    def category(self) -> Category:
        return category(self.high)

    @property
    def test_advised(self) -> bool:
        return self.high >= TEST_FROM


def score(answers: Answers) -> Score:
    """Adds the points up. An unknown BMI counts 0 to 3 points, an unknown waist 0 to 4."""
    known = (
        _age(answers.age)
        + (0 if answers.active_daily else 2)
        + (0 if answers.greens_daily else 1)
        + (2 if answers.pressure_medicine else 0)
        + (5 if answers.high_glucose else 0)
        + _FAMILY[answers.family]
    )
    bmi = body_mass_index(answers.height_cm, answers.weight_kg)
    bmi_points = (0, 3) if bmi is None else (_bmi(bmi),) * 2
    waist_points = (0, 4) if answers.waist_cm is None else (_waist(answers.waist_cm, answers.sex),) * 2
    missing = [name for name, value in (("bmi", bmi), ("waist", answers.waist_cm)) if value is None]
    return Score(known + bmi_points[0] + waist_points[0], known + bmi_points[1] + waist_points[1], tuple(missing))


def category(points: int) -> Category:
    """The published class. Raises ValueError beyond 0–26 points."""
    if not 0 <= points <= MOST:
        raise ValueError(f"no FINDRISC score: {points}")
    if points > 20:
        return "very-high"
    if points >= 15:
        return "high"
    if points >= TEST_FROM:
        return "moderate"
    return "slight" if points >= 7 else "low"


def body_mass_index(height_cm: int | None, weight_kg: int | None) -> float | None:
    """kg/m²; None where a measure is missing."""
    if height_cm is None or weight_kg is None:
        return None
    # Centimetres stay whole numbers up to the division: 10,000 times the weight over a square is exact at 25 and 30.
    return weight_kg * 10_000 / height_cm**2


def is_plausible(height_cm: int, weight_kg: int) -> bool:
    """Whether a living adult can have this height and this weight."""
    return _LEAST_BMI <= weight_kg * 10_000 / height_cm**2 <= _MOST_BMI


def _age(years: int) -> int:
    if years > 64:
        return 4
    if years >= 55:
        return 3
    return 2 if years >= 45 else 0


def _bmi(bmi: float) -> int:
    if bmi > 30:
        return 3
    return 1 if bmi >= 25 else 0


def _waist(centimetres: int, sex: Sex) -> int:
    middle, highest = _WAIST[sex]
    if centimetres > highest:
        return 4
    return 3 if centimetres >= middle else 0
