"""Which of an eye's photographs is told to others: the one that decided about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, cast

from services.fhir.records import EyeName
from services.screening.decision import EYES, Finding, outcome_of_eye

Told = Literal["referable", "not-referable", "doubtful", "ungradable"]
_TOLD: dict[Finding, Told] = {
    "refer": "referable",
    "rescreen": "not-referable",
    "doubtful": "doubtful",
    "retake": "ungradable",
}


def deciding(readings: Iterable[Any]) -> Iterator[tuple[EyeName, Told, Any]]:
    """`(eye, finding, reading)` for each eye that was read. A reading has `eye`, `outcome`, `gradable`, `probability`;
    they come oldest first."""
    rows = list(readings)
    for eye in EYES:
        of_eye = [row for row in rows if row.eye == eye]
        if of_eye:
            chosen = _chosen(of_eye)
            yield cast(EyeName, eye), _TOLD[_finding(chosen)], chosen


def _chosen(rows: Sequence[Any]) -> Any:
    outcome = outcome_of_eye([_finding(row) for row in rows])
    that_say_so = [row for row in rows if row.outcome == outcome]
    if outcome == "refer" and that_say_so:
        return max(that_say_so, key=lambda row: row.probability or 0.0)
    return (that_say_so or rows)[-1]  # two that gave no answer refer: the last of them is told


def _finding(row: Any) -> Finding:
    return "doubtful" if row.outcome == "retake" and row.gradable else cast(Finding, row.outcome)
