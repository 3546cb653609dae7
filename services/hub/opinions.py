"""What a reviewer finds in the photographs of a patient, what such a finding may conclude, and what several reviewers
conclude together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.screening.decision import EYES, GRADES, Outcome, finding_of_grade

NOTES = ("review-note-blurred", "review-note-dark", "review-note-field", "review-note-soon", "review-note-thanks")
"""What a reviewer may say to the health worker: messages of `flows/locale`, since nothing else is ever sent."""
State = Literal["reviewed", "agreed", "settled", "disputed"]
_CAUTION: tuple[Outcome, ...] = ("refer", "retake", "rescreen")


class Unsound(ValueError):
    """A finding that contradicts the screening's rules. Its text is the id of the words that say so."""


@dataclass(frozen=True)
class EyeFinding:
    """What one eye shows: its ICDR grade, None if nobody could grade it, and whether the macula may be swollen."""

    grade: int | None
    oedema: bool = False

    @property
    def referable(self) -> bool:
        return finding_of_grade(self.grade, self.oedema) == "refer"

    @property
    def normal(self) -> bool:
        return finding_of_grade(self.grade, self.oedema) == "rescreen"


@dataclass(frozen=True)
class Opinion:
    """What one reviewer thinks of a patient: eyes by name, the outcome, and a note for the health worker."""

    eyes: Mapping[str, EyeFinding]
    outcome: Outcome
    note: str | None = None

    def eyes_as_json(self) -> dict[str, Any]:
        return {eye: {"grade": found.grade, "oedema": found.oedema} for eye, found in self.eyes.items()}


def check(opinion: Opinion, *, photographed: Collection[str], urgent: bool, called_normal: bool = False) -> None:
    """Raises Unsound unless the outcome follows from the findings by the rules of `services.screening.decision`: a
    referable eye refers; what cannot be graded, or was not photographed, is never called normal; who suddenly lost
    sight is referred whatever the photographs show. `called_normal`: the site did, so that one eye was all there is."""
    if set(opinion.eyes) != set(photographed) or not opinion.eyes or not set(photographed) <= set(EYES):
        raise Unsound("unsound-eyes")
    found = opinion.eyes.values()
    if any(each.grade is not None and each.grade not in GRADES for each in found):
        raise Unsound("unsound-grade")
    if opinion.note is not None and opinion.note not in NOTES:
        raise Unsound("unsound-note")
    if any(each.referable for each in found) and opinion.outcome != "refer":
        raise Unsound("unsound-referable")
    if opinion.outcome == "rescreen" and not all(each.normal for each in found):
        raise Unsound("unsound-ungradable")
    if opinion.outcome == "rescreen" and urgent:
        raise Unsound("unsound-urgent")
    both = len(opinion.eyes) == len(EYES)
    if opinion.outcome == "rescreen" and not both and not called_normal:
        raise Unsound("unsound-one-eye")
    if opinion.outcome == "retake" and both and all(each.grade is not None for each in found):
        raise Unsound("unsound-retake")


def together(outcomes: Sequence[Outcome]) -> tuple[State, Outcome]:
    """What holds when each of these reviewers, at least one, said what she thinks last.

    One is enough. Two who disagree are in dispute, and until somebody settles it by making a majority, the most
    cautious opinion holds: no referral is taken back on a disputed one.
    """
    counted = Counter(outcomes)
    (most, times), *others = counted.most_common()
    if not others:
        return ("reviewed" if times == 1 else "agreed"), most
    if times * 2 > len(outcomes):
        return "settled", most
    return "disputed", min(counted, key=_CAUTION.index)
