"""The early-stage diabetes symptom table (Islam et al. 2020, UCI, CC BY 4.0), as the symptom model learns from it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.lab.limits import Bools

Floats = NDArray[np.float64]

# Column of the table, name of the input, what a yes means.
SYMPTOMS = (
    ("Polyuria", "polyuria", "passes much more urine than usual"),
    ("Polydipsia", "polydipsia", "is much thirstier than usual"),
    ("sudden weight loss", "weight-loss", "lost weight suddenly"),
    ("weakness", "weakness", "feels weak"),
    ("Polyphagia", "polyphagia", "is much hungrier than usual"),
    ("Genital thrush", "thrush", "has a yeast infection of the genitals"),
    ("visual blurring", "blurred-vision", "sees blurred"),
    ("Itching", "itching", "itches"),
    ("Irritability", "irritability", "is irritable"),
    ("delayed healing", "slow-healing", "has wounds that heal slowly"),
    ("partial paresis", "paresis", "has weakness of some muscles, as of one limb"),
    ("muscle stiffness", "stiffness", "has stiff muscles"),
    ("Alopecia", "hair-loss", "loses hair"),
    ("Obesity", "obesity", "is obese"),
)


@dataclass
class Table:
    """`answers` [n, 15] is age in years and one 0 or 1 a symptom; `group` [n] is equal where all symptoms are. `male`
    [n] is no input: see the card."""

    answers: Floats
    positive: Bools
    male: Bools
    group: NDArray[np.int64]


def load(path: Path, *, distinct: bool = True) -> Table:
    """The table. `distinct=False` keeps repeated rows, only to show what they would pretend. Raises KeyError for a
    missing column and ValueError for an answer that is none."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if distinct:
        rows = list({tuple(row.items()): row for row in rows}.values())
    answers = np.array(
        [[float(row["Age"]), *(["No", "Yes"].index(row[column]) for column, _, _ in SYMPTOMS)] for row in rows]
    )
    _, group = np.unique(answers[:, 1:], axis=0, return_inverse=True)
    positive = np.array([["Negative", "Positive"].index(row["class"]) for row in rows], dtype=bool)
    male = np.array([["Female", "Male"].index(row["Gender"]) for row in rows], dtype=bool)
    return Table(answers, positive, male, group.ravel())
