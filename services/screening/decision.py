"""From readings of photographs to what happens to a patient. The rules are those of screening programmes:

- either referable eye refers the patient;
- a first ungradable photograph of an eye is taken again, a second one refers and is never called normal;
- "rescreen in 12 months" needs a gradable, non-referable photograph of each eye (or the worker's word that there is one
  eye to see).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Outcome = Literal["refer", "rescreen", "retake"]
EYES = ("left", "right")
UNGRADABLE_LIMIT = 2


def outcome_of_eye(readings: Sequence[Outcome]) -> Outcome | None:
    """What one eye's photographs say together, oldest first; None while there is none.

    A referable photograph is never overruled by a later normal one.
    """
    if not readings:
        return None
    if "refer" in readings or readings.count("retake") >= UNGRADABLE_LIMIT:
        return "refer"
    return "rescreen" if "rescreen" in readings else "retake"


def outcome_of_patient(eyes: Mapping[str, Sequence[Outcome]], *, one_eye: bool = False) -> Outcome | None:
    """What both eyes say together; None while a photograph is missing or has to be taken again."""
    outcomes = {eye: outcome_of_eye(readings) for eye, readings in eyes.items()}
    if "refer" in outcomes.values():
        return "refer"
    normal = sum(outcome == "rescreen" for outcome in outcomes.values())
    return "rescreen" if normal >= (1 if one_eye else len(EYES)) and "retake" not in outcomes.values() else None
