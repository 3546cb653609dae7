"""The columns of results in version 1: their order, what their numbers mean, and what they are usually like.

Whatever stands here is part of the version: a change of any of it is another version, and this one is still to be read.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.sync.columns import Typical

# A word is written as its place here; others go with the batch and are numbered on from here.
WORDS = ("dr", "female", "male", "unknown", "routine", "urgent", "rescreen", "refer")
EYES = ("left", "right")
FINDINGS = (("rescreen", True), ("refer", True), ("retake", False), ("retake", True))  # outcome, gradable

QUALITY_STEPS, PROBABILITY_STEPS = 100, 1000
"""From 0 to 1."""
OPENED_STEP_S = 10

STEPS = ("seq", "ref", "decided")
"""Columns with a row a result, written as steps: sequence number, screening, seconds since 1970."""
RESULT = ("has_phone", "programme", "sex", "priority", "age", "worker", "took", "readings")
"""Columns with a row a result. `took` is from opened to decided, in OPENED_STEP_S; `readings` is how many."""
READING = ("other_eye", "finding", "quality", "probability", "oedema", "model")
"""Columns with a row a reading. `other_eye` is 0 for a left eye that comes first, third …, or a right one that comes
second, fourth …; quality is counted down from its best, since most are good; a probability of 0 is none, 1 is 0 %."""
LAST = ("outcome",)
"""Columns with a row a result that are told by the readings."""

# Quality, probabilities and findings are deciles of what the models of release 0.2.0 said to the validation
# photographs; the others are those of a clinic that sees 200 patients in eight hours.
TYPICAL: dict[str, Typical] = {
    "seq": {0: (1,) * 8},
    "ref": {0: (1, 1, 1, 1, 2, 2, -1, 3)},
    "decided": {0: (15, 32, 51, 74, 100, 132, 173, 232, 332, 500)},
    "has_phone": {0: (1, 1, 0)},
    "programme": {0: (0,) * 16},
    "sex": {0: (1, 1, 1, 2, 2)},
    "priority": {0: (4,) * 12 + (5,)},
    "age": {0: (35, 42, 47, 50, 53, 56, 59, 62, 66, 72)},
    "worker": {0: (1, 1, 2, 2, 3, 4)},
    "took": {0: (12, 17, 21, 25, 30, 35, 42, 50, 64, 90)},
    "readings": {0: (2,) * 8 + (3,)},
    "other_eye": {0: (0,) * 12 + (1,)},
    "finding": {0: (0,) * 8 + (1, 1, 2, 3)},
    "quality": {
        0: (0, 0, 0, 1, 1, 1, 1, 2, 5, 19),
        1: (0, 0, 0, 0, 0, 1, 1, 2, 5, 22),
        2: (58, 60, 68, 76, 82, 83, 86, 91, 97, 99),
        3: (0, 0, 0, 1, 1, 1, 2, 5, 11, 32),
    },
    "probability": {
        0: (5, 9, 13, 20, 26, 36, 43, 57, 73, 116),
        1: (277, 329, 405, 507, 725, 858, 947, 990, 995, 1000),
        2: (0,) * 16,
        3: (144, 150, 159, 160, 168, 176, 198, 205, 212, 245),
    },
    "oedema": {0: (0,) * 16}
    | {octave: tuple(2**octave * percent // 100 for percent in (25, 31, 36, 41, 68)) for octave in range(1, 11)},
    "model": {0: (0,) * 16},
    "outcome": {0: (6,) * 16, 1: (7,) * 16},
}


def alike(name: str, table: dict[str, list[int]]) -> Sequence[int] | None:
    """By what the rows of a column are alike, from the columns before it: quality and probability by what was found,
    oedema by the size of the probability, the outcome by whether an eye is referable. None: all are."""
    if name in ("quality", "probability"):
        return table["finding"]
    if name == "oedema":
        return [probability.bit_length() for probability in table["probability"]]
    if name == "outcome":
        findings = iter(table["finding"])
        return [int(1 in [next(findings) for _ in range(number)]) for number in table["readings"]]
    return None
