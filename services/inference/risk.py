"""Reads one set of answers to the symptom questions: forest, calibrated probability, whether a test is advised.

A model that exists is a model that may be trusted, as in `engine.py`: its file matched the hash in
`models/risk/manifest.json` and its golden answers came out as they did at release. Otherwise ModelError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.inference.manifest import FORMAT, ModelError
from services.inference.session import open_session, verified_bytes

PROGRAMME = "risk"
TIER = "full"
AGE = "age"
_HELD = 0.01  # trees that all agree are not certain
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Input:
    """A question the model needs answered: a whole number from `low` to `high`; 0 no and 1 yes for a symptom."""

    name: str
    meaning: str
    low: int
    high: int


@dataclass(frozen=True)
class RiskReading:
    """What the answers say. `probability` is calibrated to the hospital patients the model learned from, two thirds of
    whom have diabetes: it ranks people, and is nobody's chance of the disease. `advised`: a blood-sugar test."""

    probability: float
    advised: bool
    name: str
    version: str
    sha256: str
    threshold: float


class RiskModel:
    """The released symptom model, loaded and verified. Uses one thread; not to be shared between threads."""

    def __init__(self, models_dir: Path) -> None:
        folder = models_dir / PROGRAMME
        raw = _manifest(folder)
        try:
            tier = raw["tiers"][TIER]
            self.name, self.version = str(raw["name"]), str(raw["version"])
            self.sha256, self.threshold = str(tier["sha256"]), float(tier["threshold"])
            self.inputs = tuple(Input(**each) for each in raw["inputs"])
            self._slope, self._intercept = float(tier["slope"]), float(tier["intercept"])
            golden, tolerance, file = list(raw["golden"]), float(raw["tolerance"]), folder / tier["file"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{folder}: {type(error).__name__}: {error}") from error
        if file.parent != folder or not 0.0 < self.threshold < 1.0:
            raise ModelError(f"{folder}: {file.name} at threshold {self.threshold} is no model of this folder")
        self._session = _open(file, self.sha256, len(self.inputs))
        self._check_golden(golden, tolerance)

    def assess(self, answers: Mapping[str, int]) -> RiskReading:
        """Judge the answers, by the names of `inputs`. Raises ValueError for one that is missing, unknown or out of
        range: the model has never seen a blank, and nobody of such an age."""
        names = [each.name for each in self.inputs]
        if answers.keys() != set(names):
            raise ValueError(f"missing or unknown: {', '.join(sorted(answers.keys() ^ set(names)))}")
        for each in self.inputs:
            if not each.low <= answers[each.name] <= each.high:
                raise ValueError(f"{each.name} is {answers[each.name]}, not {each.low} to {each.high}")
        row = np.array([[answers[name] for name in names]], dtype=np.float32)
        (shares,) = self._session.run(["probabilities"], {"answers": row})
        probability = float(calibrated(np.asarray(shares, dtype=np.float64)[:, 1], self._slope, self._intercept)[0])
        return RiskReading(
            probability, probability >= self.threshold, self.name, self.version, self.sha256, self.threshold
        )

    def answers(self, age: int, symptoms: tuple[str, ...] | list[str]) -> dict[str, int]:
        """Answers to every question: the age, yes to the symptoms named, no to the rest."""
        given = {each.name: 0 for each in self.inputs} | dict.fromkeys(symptoms, 1)
        return given | {AGE: age}

    def _check_golden(self, golden: list[Any], tolerance: float) -> None:
        if not golden:
            raise ModelError(f"{self.name}: no golden case to check the model on")
        for case in golden:
            try:
                expected, advised = float(case["probability"]), bool(case["advised"])
                found = self.assess(self.answers(case["age"], case["symptoms"]))
            except (KeyError, TypeError, ValueError) as error:
                raise ModelError(f"{self.name}: golden case {case!r}: {error}") from error
            if found.advised != advised or abs(found.probability - expected) > tolerance:
                raise ModelError(f"{self.name}: golden case {case!r}: probability is {found.probability:.4f}")


def logit(probability: Floats) -> Floats:
    """The logit of a share of trees, held within 0.01 and 0.99."""
    held = np.clip(probability, _HELD, 1 - _HELD)
    return np.asarray(np.log(held / (1 - held)))


def calibrated(probability: Floats, slope: float, intercept: float) -> Floats:
    """Platt scaling on the logit (Platt 1999)."""
    return np.asarray(1 / (1 + np.exp(-(slope * logit(probability) + intercept))))


def _manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / "manifest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found, programme = raw["format"], raw["programme"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: {type(error).__name__}: {error}") from error
    if (found, programme) != (FORMAT, PROGRAMME):
        raise ModelError(f"{path}: format {found} for {programme!r}, this release reads {FORMAT} for {PROGRAMME!r}")
    return dict(raw)


def _open(file: Path, sha256: str, width: int) -> onnxruntime.InferenceSession:
    """A session on exactly the bytes whose hash was checked."""
    content = verified_bytes(file, sha256)
    try:
        session = open_session(content)  # a forest of a thousand questions gains nothing from an accelerator
        read = session.get_inputs()[0].shape[-1]
    except Exception as error:  # onnxruntime raises its own unrelated types for every kind of bad graph
        raise ModelError(f"{file.name}: {error}") from error
    if read != width:
        raise ModelError(f"{file.name}: reads {read} answers, the manifest names {width}")
    return session
