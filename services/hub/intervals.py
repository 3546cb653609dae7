"""Shares and how sure they are: Wilson's interval, and control limits of a p-chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

_Z95 = 1.959964
SIGMAS = 3.0


@dataclass(frozen=True)
class Rate:
    """`part` of `whole` counted."""

    part: int
    whole: int

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.part + other.part, self.whole + other.whole)

    @property
    def share(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927), which stays within 0 and 1 and holds for few cases and extreme shares
        (Brown, Cai and DasGupta 2001, Statistical Science 16:101)."""
        if not self.whole:
            return 0.0, 1.0
        n, p, z2 = self.whole, self.part / self.whole, _Z95**2
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def control_limits(expected: float, whole: int, dispersion: float = 1.0) -> tuple[float, float]:
    """Between what shares a count of `whole` stays when nothing changed: Shewhart's three sigmas, widened by the root
    of a `dispersion` above 1."""
    half = SIGMAS * sqrt(max(1.0, dispersion) * expected * (1 - expected) / whole)
    return max(0.0, expected - half), min(1.0, expected + half)


def dispersion(rates: Sequence[Rate]) -> float:
    """How much more these shares differ than chance alone makes them: the mean of the squared z-scores, of which the
    most extreme tenth at each end counts as the next one does (Spiegelhalter 2005, Quality and Safety in Health Care
    14:347). 1 when there is nothing to tell it from.

    Patients of one week and place are like each other; limits that ignored it would cry wolf.
    """
    total = sum(rates, Rate(0, 0))
    expected = total.share
    if expected is None or expected in (0.0, 1.0) or len(rates) < 2:
        return 1.0
    scores = sorted(
        (each.part / each.whole - expected) / sqrt(expected * (1 - expected) / each.whole)
        for each in rates
        if each.whole
    )
    cut = len(scores) // 10
    scores = [min(max(score, scores[cut]), scores[-1 - cut]) for score in scores]
    return max(1.0, sum(score * score for score in scores) / len(scores))
