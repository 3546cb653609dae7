"""Says which of a programme's classes one photograph shows: its middle square, the graph, calibrated probabilities."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from services.inference import golden, preprocess
from services.inference.graph import Floats, Graph, ModelIdentity
from services.inference.manifest import Classes, ClassesTier, ModelError, load_classes


@dataclass(frozen=True)
class ClassReading:
    """What was found in one photograph: `found` is the likeliest class, with its calibrated `probability`, or None when
    that is too low to say. `probabilities` has every class. `reason` says why this tier was chosen; `milliseconds` has
    `preprocess`, `model` and `total`."""

    programme: str
    tier: str
    reason: str
    found: str | None
    likeliest: str
    probability: float
    probabilities: dict[str, float]
    model: ModelIdentity
    milliseconds: dict[str, float]


class Classifier(Graph):
    """One tier of one programme of classes, loaded, verified and warm: its golden cases came out as they did at
    release. Uses one thread; not to be shared between threads. Raises ModelError."""

    def __init__(self, models_dir: Path, programme: str, tier: str | None = None) -> None:
        self.manifest: Classes = load_classes(models_dir, programme)
        self.tier: ClassesTier = self.manifest.tier(tier)
        self.reason = "requested" if tier else "best"
        limit = self.tier.abstain_below
        self.identity = ModelIdentity(self.manifest.name, self.manifest.version, self.tier.sha256, limit, limit)
        super().__init__(self.tier, [len(self.manifest.classes) - 1])
        self._check_golden()

    def read(self, image: Image.Image) -> ClassReading:
        """Name what one upright RGB photograph of any size shows."""
        began = time.perf_counter()
        pixels = preprocess.square(image, self.tier.size, preprocess.centre(image))
        prepared = time.perf_counter()
        chances = _softmax(self.logits(pixels) / self.tier.temperature)
        ended = time.perf_counter()
        times = {"preprocess": prepared - began, "model": ended - prepared, "total": ended - began}
        best = int(chances.argmax())
        likeliest, probability = self.manifest.classes[best], float(chances[best])
        return ClassReading(
            programme=self.manifest.programme,
            tier=self.tier.name,
            reason=self.reason,
            found=likeliest if probability >= self.tier.abstain_below else None,
            likeliest=likeliest,
            probability=probability,
            probabilities=dict(zip(self.manifest.classes, map(float, chances), strict=True)),
            model=self.identity,
            milliseconds={name: round(1000 * seconds, 2) for name, seconds in times.items()},
        )

    def _check_golden(self) -> None:
        for label, case, picture in golden.opened(self.manifest.programme, self.manifest.golden):
            try:
                said, expected = case.said[self.tier.name], case.probability[self.tier.name]
            except KeyError:
                raise ModelError(f"{label}: says nothing of tier {self.tier.name}") from None
            reading = self.read(picture)
            if reading.found != said:
                raise ModelError(f"{label}: says {reading.found}, said {said}")
            if abs(reading.probability - expected) > self.manifest.tolerance:
                raise ModelError(f"{label}: probability is {reading.probability:.4f}, was {expected:.4f}")


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
