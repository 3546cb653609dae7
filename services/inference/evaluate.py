"""Measure an engine on any folder of labelled photographs: the figures a release is judged by.

Figures are for referable retinopathy, ICDR grade 2 or more. AUC, sensitivity, specificity and calibration are over the
photographs that the quality gate lets through, as in published trials; `gradable` says what share that is, and
`sensitivity_all` and `specificity_all` count an ungradable photograph as referred, as happens to the patient.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from services.inference.engine import Engine

REFERABLE_GRADE = 2
RESAMPLES = 1000
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """One labelled photograph and what the engine said; `probability` is None when it was not gradable."""

    image: str
    source: str
    grade: int
    probability: float | None


def evaluate(data_dir: Path, engine: Engine, split: str | None = None) -> dict[str, Any]:
    """Read every photograph of `data_dir/labels.csv` (columns image, grade; optional split, source) and count.

    Returns `programme, tier, model, threshold, n, positives, auc, auc_low, auc_high, sensitivity, specificity,
    sensitivity_all, specificity_all, gradable, ece, by_source`. Raises ValueError when there is nothing to evaluate.
    """
    cases = read_cases(data_dir, engine, split)
    result = {
        "programme": engine.manifest.programme,
        "tier": engine.tier.name,
        "model": engine.identity.sha256,
        "threshold": engine.tier.threshold,
        **figures(cases, engine.tier.threshold),
    }
    sources = sorted({case.source for case in cases})
    result["by_source"] = {
        source: figures([case for case in cases if case.source == source], engine.tier.threshold) for source in sources
    }
    return result


def read_cases(data_dir: Path, engine: Engine, split: str | None = None) -> list[Case]:
    """What the engine says to each photograph. Raises ValueError for a folder, column or picture that is missing."""
    cases = []
    for row in labelled(data_dir, split):
        path = _find(data_dir, row["image"])
        try:
            with Image.open(path) as image:
                reading = engine.read(ImageOps.exif_transpose(image).convert("RGB"))
        except OSError as error:
            raise ValueError(f"{path}: {error}") from error
        cases.append(Case(row["image"], row.get("source") or "all", int(float(row["grade"])), reading.probability))
    return cases


def labelled(data_dir: Path, split: str | None = None) -> list[dict[str, str]]:
    """The rows of `labels.csv`, of one split when asked. Raises ValueError."""
    path = data_dir / "labels.csv"
    if not path.is_file():
        raise ValueError(f"{data_dir} has no labels.csv")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    missing = {"image", "grade"} - set(rows[0] if rows else ())
    if missing:
        raise ValueError(f"{path}: no column {' and '.join(sorted(missing))}")
    if split is not None:
        rows = [row for row in rows if row.get("split") == split]
    if not rows:
        raise ValueError(f"{path}: no photograph{f' in split {split!r}' if split else ''}")
    return rows


def figures(cases: Sequence[Case], threshold: float) -> dict[str, Any]:
    """The figures of one group; None where a figure needs a class that does not occur."""
    positive = np.array([case.grade >= REFERABLE_GRADE for case in cases], dtype=bool)
    seen = np.array([case.probability is not None for case in cases], dtype=bool)
    score = np.array([case.probability for case in cases if case.probability is not None], dtype=np.float64)
    found = positive[seen]
    low, high = auc_interval(found, score)
    referred = np.ones(len(cases), dtype=bool)
    referred[seen] = score >= threshold
    return {
        "n": len(cases),
        "positives": int(positive.sum()),
        "auc": _rounded(auc(found, score)),
        "auc_low": _rounded(low),
        "auc_high": _rounded(high),
        "sensitivity": _share(score >= threshold, found),
        "specificity": _share(score < threshold, ~found),
        "sensitivity_all": _share(referred, positive),
        "specificity_all": _share(~referred, ~positive),
        "gradable": _rounded(float(seen.mean())),
        "ece": _rounded(calibration_error(found, score)),
    }


def auc(positive: Bools, score: NDArray[np.floating[Any]]) -> float:
    """Area under the ROC curve by ranks, ties counted half. NaN unless both classes occur."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def auc_interval(positive: Bools, score: NDArray[np.floating[Any]], seed: int = 1) -> tuple[float, float]:
    """95 % percentile bootstrap interval over photographs, both classes resampled apart."""
    where, where_not = np.flatnonzero(positive), np.flatnonzero(~positive)
    if not len(where) or not len(where_not):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    areas = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([rng.choice(where, len(where)), rng.choice(where_not, len(where_not))])
        areas.append(auc(positive[chosen], score[chosen]))
    low, high = np.percentile(areas, (2.5, 97.5))
    return float(low), float(high)


def calibration_error(positive: Bools, score: NDArray[np.floating[Any]], bins: int = 10) -> float:
    """Expected calibration error over equal bins of the probability of referable disease."""
    if not len(score):
        return float("nan")
    bin_of = np.minimum((score * bins).astype(int), bins - 1)
    gaps = [
        abs(positive[bin_of == b].mean() - score[bin_of == b].mean()) * (bin_of == b).mean() for b in np.unique(bin_of)
    ]
    return float(np.sum(gaps))


def _share(flags: Bools, among: Bools) -> float | None:
    return _rounded(float(flags[among].mean())) if among.any() else None


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def _find(data_dir: Path, name: str) -> Path:
    for folder in (data_dir / "images", data_dir):
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{name} is neither in {data_dir / 'images'} nor in {data_dir}")
