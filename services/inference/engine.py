"""Reads one photograph: field of view, quality gate, model, calibrated probability.

An engine that exists is an engine that may be trusted: its file matched the manifest's hash and its golden cases
(drawn retinas beside the manifest) came out as they did at release. Otherwise the constructor raises ModelError.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from PIL import Image

from services.inference import preprocess, quality
from services.inference.manifest import Manifest, ModelError, Tier, load, verified_bytes
from services.inference.quality import Quality

Outcome = Literal["refer", "rescreen", "retake"]


@dataclass(frozen=True)
class ModelIdentity:
    """Which model spoke, to be stored with each result."""

    name: str
    version: str
    sha256: str
    threshold: float


@dataclass(frozen=True)
class Reading:
    """What was found in one photograph. `probability` (of referable disease, calibrated) and `referable` are None when
    nobody could grade it; `reason` says why this tier was chosen; `milliseconds` has `preprocess`, `quality`, `model`
    and `total`."""

    programme: str
    tier: str
    reason: str
    quality: Quality
    probability: float | None
    referable: bool | None
    model: ModelIdentity
    milliseconds: dict[str, float]


class Engine:
    """One tier of one programme, loaded, verified and warm. Uses one thread; not to be shared between threads."""

    def __init__(self, models_dir: Path, programme: str = "dr", tier: str | None = None) -> None:
        self.manifest: Manifest = load(models_dir, programme)
        self.tier: Tier = self.manifest.tier(tier)
        self.reason = "requested" if tier else "best"
        self.identity = ModelIdentity(self.manifest.name, self.manifest.version, self.tier.sha256, self.tier.threshold)
        self._session = _open(self.tier)
        self._input: str = self._session.get_inputs()[0].name
        self._check_golden()

    def read(self, image: Image.Image) -> Reading:
        """Grade one upright RGB photograph of any size."""
        began = time.perf_counter()
        field = preprocess.find_field(image)
        pixels = preprocess.square(image, self.tier.size, field)
        prepared = time.perf_counter()
        seen = quality.assess(image, self.manifest.quality, field)
        judged = time.perf_counter()
        probability = self.probability(pixels) if seen.gradable else None
        ended = time.perf_counter()
        times = {"preprocess": prepared - began, "quality": judged - prepared, "model": ended - judged}
        times["total"] = ended - began
        return Reading(
            programme=self.manifest.programme,
            tier=self.tier.name,
            reason=self.reason,
            quality=seen,
            probability=probability,
            referable=None if probability is None else probability >= self.tier.threshold,
            model=self.identity,
            milliseconds={name: round(1000 * seconds, 2) for name, seconds in times.items()},
        )

    def probability(self, pixels: preprocess.Pixels) -> float:
        """Calibrated probability of referable disease in a square [size, size, 3] from `preprocess.square`."""
        logits = np.asarray(self._session.run(None, {self._input: pixels[None]})[0]).ravel()
        logit = float(logits[self.tier.output]) / self.tier.temperature
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))

    def _check_golden(self) -> None:
        if not self.manifest.golden:
            raise ModelError(f"{self.manifest.programme}: no golden case to check the model on")
        for case in self.manifest.golden:
            label = f"golden case {case.file.name}"
            try:
                with Image.open(case.file) as image:
                    reading = self.read(image.convert("RGB"))
            except OSError as error:
                raise ModelError(f"{label}: {error}") from error
            if reading.quality.gradable != case.gradable:
                raise ModelError(f"{label}: gradable is {reading.quality.gradable}, was {case.gradable}")
            if reading.probability is None:
                continue
            expected = case.probability[self.tier.name]
            if reading.referable != case.referable or abs(reading.probability - expected) > self.manifest.tolerance:
                raise ModelError(f"{label}: probability is {reading.probability:.4f}, was {expected:.4f}")


def outcome_of(reading: Reading) -> Outcome:
    """What one photograph alone asks for. Several eyes and attempts are decided elsewhere."""
    if reading.referable is None:
        return "retake"
    return "refer" if reading.referable else "rescreen"


def _open(tier: Tier) -> onnxruntime.InferenceSession:
    content = verified_bytes(tier)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps its peak for good; a clinic's server has 2 GB in all
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    providers = [name for name in available if name not in ("CPUExecutionProvider", "AzureExecutionProvider")]
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[*providers, "CPUExecutionProvider"])
        shape = session.get_inputs()[0].shape
    except Exception as error:  # onnxruntime raises its own unrelated types for every kind of bad graph
        raise ModelError(f"{tier.file.name}: {error}") from error
    if list(shape) != [1, tier.size, tier.size, 3]:
        raise ModelError(f"{tier.file.name}: reads {shape}, the manifest says a square of {tier.size}")
    return session
