"""What a person finds in a patient's photographs, and what such a finding may conclude: at the hub and at a site."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.screening.decision import EYES, GRADES, Finding, Outcome, finding_of_grade, outcome_of_patient

NOTES = ("review-note-blurred", "review-note-dark", "review-note-field", "review-note-soon", "review-note-thanks")
"""What a reviewer may say to the health worker: messages of `flows/locale`, since nothing else is ever sent."""
UNGRADABLE = "ungradable"
"""What a form says of an eye that nobody could grade."""
CAUTION: tuple[Outcome, ...] = ("refer", "retake", "rescreen")
"""The most cautious first."""


class Unsound(ValueError):
    """A finding that contradicts the screening's rules. Its text is the id of the words that say so."""


@dataclass(frozen=True)
class EyeFinding:
    """What one eye shows: its ICDR grade, None if nobody could grade it, and whether the macula may be swollen."""

    grade: int | None
    oedema: bool = False

    @property
    def finding(self) -> Finding:
        return finding_of_grade(self.grade, self.oedema)


@dataclass(frozen=True)
class Opinion:
    """What one reviewer thinks of a patient: the eyes that she could see, the outcome, a note for the health worker."""

    eyes: Mapping[str, EyeFinding]
    outcome: Outcome
    note: str | None = None

    def eyes_as_json(self) -> dict[str, Any]:
        return {eye: {"grade": found.grade, "oedema": found.oedema} for eye, found in self.eyes.items()}


@dataclass(frozen=True)
class Circumstances:
    """What is known beside the opinion: what the model found in each eye's photographs, oldest first; the eyes whose
    photographs are here; whether the patient suddenly lost sight; whether the site called her normal, so that an eye
    without a photograph is none that can be seen."""

    readings: Mapping[str, Sequence[Finding]]
    shown: Collection[str]
    urgent: bool = False
    called_normal: bool = False


def check(opinion: Opinion, known: Circumstances) -> None:
    """Raises Unsound unless the outcome follows by the rules of `services.screening.decision` from what the reviewer
    found in the photographs that are here, and from what the model found in an eye that she cannot see.

    To refer is always allowed: she may have seen something that has no grade.
    """
    if not known.shown:
        raise Unsound("unsound-nothing")
    if set(opinion.eyes) != set(known.shown):
        raise Unsound("unsound-eyes")
    found = opinion.eyes.values()
    if any(each.grade is not None and each.grade not in GRADES for each in found):
        raise Unsound("unsound-grade")
    if opinion.note is not None and opinion.note not in NOTES:
        raise Unsound("unsound-note")
    if opinion.outcome == "refer":
        return
    if any(each.finding == "refer" for each in found):
        raise Unsound("unsound-referable")
    if known.urgent:
        raise Unsound("unsound-urgent")
    eyes = {eye: known.readings.get(eye, ()) for eye in EYES} | {
        eye: [each.finding] for eye, each in opinion.eyes.items()
    }
    concluded = outcome_of_patient(eyes, one_eye=known.called_normal)
    if concluded == "refer":
        raise Unsound("unsound-other-eye")
    if opinion.outcome == "rescreen" and concluded is None:
        raise Unsound("unsound-ungradable" if all(eyes.values()) else "unsound-one-eye")
    if opinion.outcome == "retake" and concluded == "rescreen":
        raise Unsound("unsound-retake")


def eyes_in_form(form: Mapping[str, str]) -> dict[str, EyeFinding]:
    """What a form of the console or the hub says of each eye that it shows. Raises Unsound."""
    eyes = {}
    for eye in EYES:
        graded = form.get(f"{eye}-grade")
        if graded is None:
            continue
        if graded != UNGRADABLE and not (graded.isascii() and graded.isdigit()):
            raise Unsound("unsound-grade")
        eyes[eye] = EyeFinding(None if graded == UNGRADABLE else int(graded), form.get(f"{eye}-oedema") == "yes")
    return eyes
