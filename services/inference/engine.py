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
from numpy.typing import NDArray
from PIL import Image

from services.inference import preprocess, quality
from services.inference.manifest import Manifest, ModelError, Tier, load
from services.inference.quality import Quality
from services.inference.session import open_session, verified_bytes

Outcome = Literal["refer", "rescreen", "retake"]
Sign = Literal["retinopathy", "oedema"]
Floats = NDArray[np.float32]

MAP = "map"  # name of a graph's optional output [1, h, w]
# As it is, left-right, up-down, both; each undoes itself.
FLIPS = ((slice(None),), (slice(None), slice(None, None, -1)), (slice(None, None, -1),), (slice(None, None, -1),) * 2)


@dataclass(frozen=True)
class ModelIdentity:
    """Which model spoke and by which frozen limits, to be stored with each result."""

    name: str
    version: str
    sha256: str
    threshold: float
    doubt: float
    oedema_threshold: float | None = None


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


class Engine:
    """One tier of one programme, loaded, verified and warm. Uses one thread; not to be shared between threads."""

    def __init__(self, models_dir: Path, programme: str = "dr", tier: str | None = None) -> None:
        self.manifest: Manifest = load(models_dir, programme)
        self.tier: Tier = self.manifest.tier(tier)
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
        self._session = _open(self.tier)
        self._input: str = self._session.get_inputs()[0].name
        outputs = [output.name for output in self._session.get_outputs()]
        self._logits: str = next(name for name in outputs if name != MAP)
        self.has_map = MAP in outputs
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

    def logits(self, pixels: preprocess.Pixels, views: int | None = None) -> Floats:
        """Every logit of the graph for a square [size, size, 3] from `preprocess.square`, averaged over mirrored views
        (the tier's)."""
        runs = [self._run(self._logits, pixels[flip]).ravel() for flip in FLIPS[: views or self.tier.views]]
        return np.asarray(np.mean(runs, axis=0), dtype=np.float32)

    def class_map(self, pixels: preprocess.Pixels) -> Floats:
        """The referable logit's class-activation map [h, w] of a square, averaged like the logits; its mean and a
        constant make the logit. Only for graphs with `has_map`."""
        maps = [self._run(MAP, pixels[flip])[0][flip] for flip in FLIPS[: self.tier.views]]
        return np.asarray(np.mean(maps, axis=0), dtype=np.float32)

    def _run(self, output: str, pixels: preprocess.Pixels) -> Floats:
        fed = {self._input: np.ascontiguousarray(pixels[None])}
        return np.asarray(self._session.run([output], fed)[0], dtype=np.float32)

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
    if reading.referable is None or reading.doubtful:
        return "retake"
    return "refer" if reading.referable else "rescreen"


def calibrated(logit: float, temperature: float) -> float:
    """The probability that a logit stands for, after temperature scaling (Guo et al. 2017)."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, float(logit) / temperature))))


def _open(tier: Tier) -> onnxruntime.InferenceSession:
    content = verified_bytes(tier.file, tier.sha256)
    try:
        session = open_session(content, accelerators=True)
        shape = session.get_inputs()[0].shape
        logits = next(output for output in session.get_outputs() if output.name != MAP).shape[-1]
    except Exception as error:  # onnxruntime raises its own unrelated types for every kind of bad graph
        raise ModelError(f"{tier.file.name}: {error}") from error
    if list(shape) != [1, tier.size, tier.size, 3]:
        raise ModelError(f"{tier.file.name}: reads {shape}, the manifest says a square of {tier.size}")
    asked = [tier.output] + ([tier.oedema.output] if tier.oedema else [])
    if isinstance(logits, int) and max(asked) >= logits:
        raise ModelError(f"{tier.file.name}: has {logits} outputs, the manifest asks for number {max(asked)} from 0")
    return session
