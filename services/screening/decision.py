"""From readings of photographs to what happens to a patient. The rules are those of screening programmes:

- either referable eye refers the patient;
- a first photograph of an eye that is ungradable or whose reading is in doubt is taken again, a second one refers and
  is never called normal;
- a patient who suddenly lost sight is referred whatever the photographs show;
- "rescreen in 12 months" needs a gradable, non-referable photograph of each eye (or the worker's word that there is one
  eye to see).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Outcome = Literal["refer", "rescreen", "retake"]
Finding = Literal["refer", "rescreen", "retake", "doubtful"]  # of one photograph; doubtful: graded, but not certain
EYES = ("left", "right")
GRADES = range(5)
"""International Clinical Diabetic Retinopathy scale: 0 none, 1 mild, 2 moderate, 3 severe, 4 proliferative
(Wilkinson et al. 2003, Ophthalmology 110:1677)."""
_REFERABLE = 2
ABSTENTION_LIMIT = 2


def finding_of_grade(grade: int | None, oedema: bool) -> Finding:
    """What a person's grade of an eye says; None: it could not be graded."""
    if oedema or (grade is not None and grade >= _REFERABLE):
        return "refer"
    return "retake" if grade is None else "rescreen"


def outcome_of_eye(findings: Sequence[Finding]) -> Outcome | None:
    """What one eye's photographs say together, oldest first; None while there is none.

    A referable photograph is never overruled by a later normal one, a doubtful one only by a later normal one: unlike
    an ungradable photograph it does say something about the eye.
    """
    if not findings:
        return None
    if "refer" in findings or abstentions(findings) >= ABSTENTION_LIMIT:
        return "refer"
    if "doubtful" in findings:
        findings = findings[len(findings) - 1 - findings[::-1].index("doubtful") :]
    return "rescreen" if "rescreen" in findings else "retake"


def abstentions(findings: Sequence[Finding]) -> int:
    """How many photographs gave no answer."""
    return findings.count("retake") + findings.count("doubtful")


def outcome_of_patient(
    eyes: Mapping[str, Sequence[Finding]], *, one_eye: bool = False, urgent: bool = False
) -> Outcome | None:
    """What both eyes say together; None while a photograph is missing or has to be taken again. `urgent`: the patient
    suddenly lost sight."""
    outcomes = {eye: outcome_of_eye(findings) for eye, findings in eyes.items()}
    if "refer" in outcomes.values():
        return "refer"
    normal = sum(outcome == "rescreen" for outcome in outcomes.values())
    if normal < (1 if one_eye else len(EYES)) or "retake" in outcomes.values():
        return None
    return "refer" if urgent else "rescreen"
