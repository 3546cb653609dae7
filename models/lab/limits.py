"""What is frozen on scores of photographs or people that a model has not learnt from: temperature, threshold, doubt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


def temperature_of(logits: Floats, positive: Bools) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017)."""
    grid = np.geomspace(0.25, 4, 161)
    z = logits[None, :] / grid[:, None]
    loss = np.where(positive, np.logaddexp(0, -z), np.logaddexp(0, z)).mean(axis=1)
    return round(float(grid[loss.argmin()]), 3)


def softmax(logits: Floats) -> Floats:
    """Over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def temperature_of_classes(logits: Floats, classes: NDArray[np.int64], weight: Floats) -> float:
    """The temperature with the least negative log-likelihood of logits [n, k], whose right classes are these, each
    counted with its weight [n]."""
    grid = np.geomspace(0.25, 4, 161)
    right = [softmax(logits / t)[np.arange(len(classes)), classes].clip(1e-12) for t in grid]
    return round(float(grid[int(np.argmin([-(weight * np.log(each)).sum() for each in right]))]), 3)


def threshold_for(sensitivity: float, probability: Floats, positive: Bools) -> float:
    """The highest threshold that keeps this sensitivity, halfway to the next score below."""
    ranked = np.sort(probability[positive])[::-1]
    needed = math.ceil(sensitivity * len(ranked))
    lowest = ranked[needed - 1]
    below = probability[probability < lowest]
    return float((lowest + below.max()) / 2 if len(below) else lowest)


def doubt_for(threshold: float, probability: Floats, positive: Bools, caught: float, retaken: float) -> float:
    """From where a reading is too uncertain to be called normal: low enough to catch this share of the referable ones
    that the threshold misses, but never so low that more than `retaken` of the others are taken again."""
    missed = np.sort(probability[positive & (probability < threshold)])[::-1]
    wanted = missed[math.ceil(caught * len(missed)) - 1] if len(missed) else threshold
    others = np.sort(probability[~positive & (probability < threshold)])[::-1]
    allowed = others[min(len(others) - 1, math.floor(retaken * int((~positive).sum())))] if len(others) else threshold
    return round(float(min(threshold, max(wanted, np.nextafter(allowed, 1)))) - 5e-5, 4)


def sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))
