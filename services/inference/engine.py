"""Grades one photograph: field of view, quality gate, model, calibrated probability.

An engine that exists is an engine that may be trusted: its file matched the manifest's hash and its golden cases
(drawn retinas beside the manifest) came out as they did at release. Otherwise the constructor raises ModelError.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from services.inference import golden, preprocess, quality
from services.inference.graph import FLIPS as FLIPS
from services.inference.graph import Graph
from services.inference.graph import ModelIdentity as ModelIdentity
from services.inference.manifest import Grades, GradesTier, ModelError, load_grades
from services.inference.quality import Quality
from services.programmes import FIRST

Outcome = Literal["refer", "rescreen", "retake"]
Sign = Literal["retinopathy", "oedema"]


@dataclass(frozen=True)
class Reading:
    """What was found in one photograph.

    `probability` (of referable retinopathy, calibrated), `oedema_probability` (of macular oedema, if the model looks
    for it) and `referable` are None when nobody could grade it. `signs` says what makes it referable: "retinopathy",
    "oedema", both or, when it is not, nothing. `doubtful` means that it is too uncertain to be called normal.
    `reason` says why this tier was chosen; `milliseconds` has `preprocess`, `quality`, `model` and `total`."""

    programme: str
    tier: str
    reason: str
    quality: Quality
    probability: float | None
    referable: bool | None
    model: ModelIdentity
    milliseconds: dict[str, float]
    oedema_probability: float | None = None
    signs: tuple[Sign, ...] = ()
    doubtful: bool = False

    @property
    def confidence(self) -> float | None:
        """Calibrated probability of the likelier of the two answers on retinopathy, 0.5 to 1."""
        return None if self.probability is None else max(self.probability, 1 - self.probability)


class Engine(Graph):
    """One tier of one programme that grades, loaded, verified and warm. Uses one thread; not to be shared between
    threads."""

    def __init__(self, models_dir: Path, programme: str = FIRST, tier: str | None = None) -> None:
        self.manifest: Grades = load_grades(models_dir, programme)
        self.tier: GradesTier = self.manifest.tier(tier)
        self.reason = "requested" if tier else "best"
        oedema = self.tier.oedema
        self.identity = ModelIdentity(
            self.manifest.name,
            self.manifest.version,
            self.tier.sha256,
            self.tier.threshold,
            self.tier.doubt,
            oedema.threshold if oedema else None,
        )
        super().__init__(self.tier, [self.tier.output, *([oedema.output] if oedema else [])])
        self._check_golden()

    def read(self, image: Image.Image) -> Reading:
        """Grade one upright RGB photograph of any size."""
        began = time.perf_counter()
        field = preprocess.find_field(image)
        pixels = preprocess.square(image, self.tier.size, field)
        prepared = time.perf_counter()
        seen = quality.assess(image, self.manifest.quality, field)
        judged = time.perf_counter()
        logits = self.logits(pixels) if seen.gradable else None
        ended = time.perf_counter()
        times = {"preprocess": prepared - began, "quality": judged - prepared, "model": ended - judged}
        times["total"] = ended - began
        tier = self.tier
        probability = None if logits is None else calibrated(logits[tier.output], tier.temperature)
        oedema = None
        if logits is not None and tier.oedema is not None:
            oedema = calibrated(logits[tier.oedema.output], tier.oedema.temperature)
        signs: list[Sign] = []
        if probability is not None and probability >= tier.threshold:
            signs.append("retinopathy")
        if oedema is not None and tier.oedema is not None and oedema >= tier.oedema.threshold:
            signs.append("oedema")
        return Reading(
            programme=self.manifest.programme,
            tier=tier.name,
            reason=self.reason,
            quality=seen,
            probability=probability,
            referable=None if probability is None else bool(signs),
            model=self.identity,
            milliseconds={name: round(1000 * seconds, 2) for name, seconds in times.items()},
            oedema_probability=oedema,
            signs=tuple(signs),
            doubtful=not signs and probability is not None and probability >= tier.doubt,
        )

    def _check_golden(self) -> None:
        for label, case, picture in golden.opened(self.manifest.programme, self.manifest.golden):
            reading = self.read(picture)
            if reading.quality.gradable != case.gradable:
                raise ModelError(f"{label}: gradable is {reading.quality.gradable}, was {case.gradable}")
            if reading.probability is None:
                continue
            expected = case.probability[self.tier.name]
            if reading.referable != case.referable or abs(reading.probability - expected) > self.manifest.tolerance:
                raise ModelError(f"{label}: probability is {reading.probability:.4f}, was {expected:.4f}")


def outcome_of(reading: Reading) -> Outcome:
    """What one photograph alone asks for. Several eyes and attempts are decided elsewhere."""
    if reading.referable is None or reading.doubtful:
        return "retake"
    return "refer" if reading.referable else "rescreen"


def calibrated(logit: float, temperature: float) -> float:
    """The probability that a logit stands for, after temperature scaling (Guo et al. 2017)."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, float(logit) / temperature))))
