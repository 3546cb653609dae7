"""Measure an engine on any folder of labelled photographs: the figures a release is judged by.

Figures are for referable retinopathy, ICDR grade 2 or more. AUC, sensitivity, specificity and calibration are over the
photographs that the quality gate lets through, as in published trials; `gradable` says what share that is, and
`sensitivity_all` and `specificity_all` count an ungradable photograph as referred, as happens to the patient. Referred
is who reaches the threshold or shows suspected oedema; `doubtful` is the share of gradable photographs that lie in the
band below the threshold, which are taken again. A photograph that cannot be opened is in none of these: it is counted
as `failed`, and listed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from services.inference.labels import find, grade, labelled

if TYPE_CHECKING:
    from services.inference.engine import Engine

__all__ = ["Case", "auc", "auc_interval", "calibration_error", "evaluate", "figures", "labelled", "read_cases"]

REFERABLE_GRADE = 2
RESAMPLES = 1000
Bools = NDArray[np.bool_]
Decode = Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class Case:
    """One labelled photograph and what the engine said; `probability` is None when it was not gradable. `failure` says
    why it could not be opened, if so."""

    image: str
    source: str
    grade: int
    probability: float | None
    oedema: bool = False
    failure: str = ""


def evaluate(data_dir: Path, engine: Engine, split: str | None = None, decode: Decode | None = None) -> dict[str, Any]:
    """Read every photograph of `data_dir/labels.csv` (columns image, grade; optional split, source) and count.

    `decode` turns a file's bytes into an upright RGB image: the product's own way, so that what is measured is what
    runs; by default a plain one.

    Returns `programme, tier, model, threshold, doubt, n, positives, auc, auc_low, auc_high, sensitivity, specificity,
    sensitivity_all, specificity_all, gradable, doubtful, ece, failed, failures, by_source`, of which `n` counts the
    photographs that could be opened. Raises ValueError when there is nothing to evaluate.
    """
    tier = engine.tier
    cases = read_cases(data_dir, engine, split, decode)
    failures = [{"image": case.image, "reason": case.failure} for case in cases if case.failure]
    if len(failures) == len(cases):
        raise ValueError(f"none of {len(cases)} photographs could be opened; {cases[0].image}: {cases[0].failure}")
    result = {
        "programme": engine.manifest.programme,
        "tier": tier.name,
        "model": engine.identity.sha256,
        "threshold": tier.threshold,
        "doubt": tier.doubt,
        **figures(cases, tier.threshold, tier.doubt),
        "failures": failures,
    }
    result["by_source"] = {
        source: figures([case for case in cases if case.source == source], tier.threshold, tier.doubt)
        for source in sorted({case.source for case in cases})
    }
    return result


def read_cases(data_dir: Path, engine: Engine, split: str | None = None, decode: Decode | None = None) -> list[Case]:
    """What the engine says to each photograph. Raises ValueError for a folder, column, grade or file that is missing;
    all are looked for before the first one is read."""
    rows = labelled(data_dir, split)
    found = [(row, find(data_dir, row["image"]), grade(row)) for row in rows]
    cases = []
    for row, path, graded in found:
        source = row.get("source") or "all"
        try:
            image = (decode or _plain)(path.read_bytes())
        except Exception as error:  # whatever a broken file makes a decoder raise
            cases.append(Case(row["image"], source, graded, None, failure=str(error) or type(error).__name__))
            continue
        reading = engine.read(image)
        cases.append(Case(row["image"], source, graded, reading.probability, "oedema" in reading.signs))
    return cases


def figures(cases: Sequence[Case], threshold: float, doubt: float | None = None) -> dict[str, Any]:
    """The figures of one group; None where a figure needs a class that does not occur."""
    read = [case for case in cases if not case.failure]
    graded = [case for case in read if case.probability is not None]
    positive = np.array([case.grade >= REFERABLE_GRADE for case in read], dtype=bool)
    seen = np.array([case.probability is not None for case in read], dtype=bool)
    score = np.array([case.probability for case in graded], dtype=np.float64)
    refer = (score >= threshold) | np.array([case.oedema for case in graded], dtype=bool)
    unsure = ~refer & (score >= (threshold if doubt is None else doubt))
    found = positive[seen]
    low, high = auc_interval(found, score)
    referred = np.ones(len(read), dtype=bool)
    referred[seen] = refer
    return {
        "n": len(read),
        "positives": int(positive.sum()),
        "auc": _rounded(auc(found, score)),
        "auc_low": _rounded(low),
        "auc_high": _rounded(high),
        "sensitivity": _share(refer, found),
        "specificity": _share(~refer, ~found),
        "sensitivity_all": _share(referred, positive),
        "specificity_all": _share(~referred, ~positive),
        "gradable": _share(seen, np.ones_like(seen)),
        "doubtful": _share(unsure, np.ones_like(unsure)),
        "ece": _rounded(calibration_error(found, score)),
        "failed": len(cases) - len(read),
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


def _plain(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")
