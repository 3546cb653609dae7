"""Measure a classifier on any folder of labelled photographs.

Accuracy is of the likeliest class over all photographs that could be opened, whether or not it would have been said;
`answered` is the share of which something is said, `accuracy_answered` how often that is right. What data sets did to
their pictures, and where each is from, is for `models/<programme>/labels.py` to say, where there is one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.inference.labels import LINE, find, labelled

if TYPE_CHECKING:
    from services.inference.classes import Classifier

COLUMNS = ("image", "label")
RESAMPLES = 1000
Bools = NDArray[np.bool_]
Decode = Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class Case:
    """One labelled photograph, the likeliest class and its probability, and whether it was said. `failure` says why it
    could not be opened, if so."""

    image: str
    source: str
    label: str
    likeliest: str = ""
    probability: float = 0.0
    said: bool = False
    failure: str = ""


def evaluate_classes(data_dir: Path, classifier: Classifier, split: str | None, decode: Decode) -> dict[str, Any]:
    """Read every photograph of `data_dir/labels.csv` (columns image, label; optional split, source) and count.

    Returns `programme, tier, model, abstain_below`, the figures of `figures`, `failures, by_source`. Raises ValueError
    when there is nothing to evaluate, and for a folder, column, label or file that is missing."""
    cases = _read(data_dir, classifier, split, decode)
    failures = [{"image": case.image, "reason": case.failure} for case in cases if case.failure]
    if len(failures) == len(cases):
        raise ValueError(f"none of {len(cases)} photographs could be opened; {cases[0].image}: {cases[0].failure}")
    names, healthy = classifier.manifest.classes, classifier.manifest.healthy
    return {
        "programme": classifier.manifest.programme,
        "tier": classifier.tier.name,
        "model": classifier.identity.sha256,
        "abstain_below": classifier.tier.abstain_below,
        **figures(cases, names, healthy),
        "failures": failures,
        "by_source": {
            source: figures([case for case in cases if case.source == source], names, healthy)
            for source in sorted({case.source for case in cases})
        },
    }


def figures(cases: Sequence[Case], classes: Sequence[str], healthy: str) -> dict[str, Any]:
    """The figures of one group: `n, accuracy, accuracy_low, accuracy_high` (95 % percentile bootstrap interval),
    `answered, accuracy_answered, recall` by class, `sick_called_healthy, healthy_called_sick` (of those, the share of
    which that is said), `failed`. None where a figure needs photographs that there are none of."""
    read = [case for case in cases if not case.failure]
    right = _flags(case.likeliest == case.label for case in read)
    said = _flags(case.said for case in read)
    well, called_well = (_flags(getattr(case, name) == healthy for case in read) for name in ("label", "likeliest"))
    low, high = _interval(right)
    return {
        "n": len(read),
        "accuracy": _share(right, np.ones_like(right)),
        "accuracy_low": low,
        "accuracy_high": high,
        "answered": _share(said, np.ones_like(said)),
        "accuracy_answered": _share(right, said),
        "recall": {name: _share(right, _flags(case.label == name for case in read)) for name in classes},
        "sick_called_healthy": _share(said & called_well, ~well),
        "healthy_called_sick": _share(said & ~called_well, well),
        "failed": len(cases) - len(read),
    }


def _read(data_dir: Path, classifier: Classifier, split: str | None, decode: Decode) -> list[Case]:
    rows = labelled(data_dir, split, COLUMNS)
    source, as_sent = _about(classifier.manifest.programme)
    for row in rows:
        if row["label"] not in classifier.manifest.classes:
            known = ", ".join(classifier.manifest.classes)
            raise ValueError(f"labels.csv, line {row[LINE]}: label {row['label']!r} is none of {known}")
    found = [(row, find(data_dir, row["image"])) for row in rows]
    cases = []
    for row, path in found:
        about = (row["image"], source(row), row["label"])
        try:
            image = decode(as_sent(path.read_bytes(), row))
        except Exception as error:  # whatever a broken file makes a decoder raise
            cases.append(Case(*about, failure=str(error) or type(error).__name__))
            continue
        reading = classifier.read(image)
        cases.append(Case(*about, reading.likeliest, reading.probability, reading.found is not None))
    return cases


def _about(programme: str) -> tuple[Callable[[Mapping[str, str]], str], Callable[[bytes, Mapping[str, str]], bytes]]:
    """How a row's source is known, and what its photograph was before the data set changed it."""
    name = f"models.{programme}.labels"
    if importlib.util.find_spec(name) is None:
        return (lambda row: row.get("source") or "all"), (lambda content, _row: content)
    labels = importlib.import_module(name)
    return labels.source, labels.as_sent


def _interval(right: Bools, seed: int = 1) -> tuple[float | None, float | None]:
    if not len(right):
        return None, None
    rng = np.random.default_rng(seed)
    shares = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(shares, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def _flags(values: Any) -> Bools:
    return np.array(list(values), dtype=bool)


def _share(flags: Bools, among: Bools) -> float | None:
    return round(float(flags[among].mean()), 4) if among.any() else None
