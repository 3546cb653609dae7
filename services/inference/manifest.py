"""`models/<programme>/manifest.json`: what a programme's models are, how they decide, how to know they are whole."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
VIEWS = (1, 2, 4)  # as it is; and left-right; and up-down and both


class ModelError(Exception):
    """A model that must not be used: missing, altered, incomplete, or wrong on its golden cases."""


@dataclass(frozen=True)
class Oedema:
    """Where and from what probability a graph suspects macular oedema, which refers whatever the grade is."""

    output: int
    temperature: float
    threshold: float


@dataclass(frozen=True)
class Tier:
    """One ONNX file: `size` is the side of the square it reads, `threshold` applies to the calibrated probability,
    `temperature` divides the logit before the sigmoid, `output` is the index of the logit that is thresholded.

    A probability from `doubt` up to `threshold` is too uncertain to be called normal; the two are equal when there is
    no such band. `views` is over how many mirrored copies of the square logits are averaged. `oedema` is None for a
    graph that does not look for it."""

    name: str
    file: Path
    sha256: str
    bytes: int
    size: int
    threshold: float
    doubt: float
    temperature: float
    output: int
    views: int
    oedema: Oedema | None
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Golden:
    """A drawn retina, a file beside the manifest, with the probability that each tier gave when it was released."""

    file: Path
    gradable: bool
    referable: bool
    probability: Mapping[str, float]


@dataclass(frozen=True)
class Manifest:
    """A programme's models. `quality` holds the quality gate's parameters, `tolerance` how far a golden case's
    probability may lie from the released one on another processor."""

    programme: str
    name: str
    version: str
    tiers: Mapping[str, Tier]
    quality: Mapping[str, Any]
    golden: tuple[Golden, ...]
    tolerance: float

    def tier(self, name: str | None = None) -> Tier:
        """The named tier, or the first one, which is the best. Raises ModelError for an unknown name."""
        name = name or next(iter(self.tiers))
        if name not in self.tiers:
            raise ModelError(f"{self.programme} has no tier {name!r}; it has {', '.join(self.tiers)}")
        return self.tiers[name]


def load(models_dir: Path, programme: str) -> Manifest:
    """Read and check a manifest (not yet the files it names). Raises ModelError."""
    path = models_dir / programme / "manifest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ModelError(f"{path}: format {raw['format']}, this release reads {FORMAT}")
        manifest = Manifest(
            programme=raw["programme"],
            name=raw["name"],
            version=raw["version"],
            tiers={name: _tier(path.parent, name, tier) for name, tier in raw["tiers"].items()},
            quality=raw["quality"],
            golden=tuple(Golden(**case | {"file": path.parent / case["file"]}) for case in raw["golden"]),
            tolerance=float(raw["tolerance"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: {type(error).__name__}: {error}") from error
    if manifest.programme != programme:
        raise ModelError(f"{path}: is for programme {manifest.programme!r}")
    if not manifest.tiers:
        raise ModelError(f"{path}: names no tier")
    return manifest


def _tier(folder: Path, name: str, raw: Mapping[str, Any]) -> Tier:
    file = folder / raw["file"]
    if file.parent != folder:
        raise ModelError(f"{name}: {raw['file']!r} leaves the model's folder")
    threshold = _probability(name, "threshold", raw["threshold"])
    doubt = _probability(name, "doubt", raw.get("doubt", threshold))
    if doubt > threshold:
        raise ModelError(f"{name}: doubt {doubt} lies above the threshold {threshold}")
    views = raw.get("views", 1)
    if views not in VIEWS:
        raise ModelError(f"{name}: views {views!r} is none of {', '.join(map(str, VIEWS))}")
    return Tier(
        name=name,
        file=file,
        sha256=str(raw["sha256"]),
        bytes=int(raw["bytes"]),
        size=int(raw["size"]),
        threshold=threshold,
        doubt=doubt,
        temperature=_temperature(name, raw.get("temperature", 1.0)),
        output=_index(name, raw["output"]),
        views=int(views),
        oedema=_oedema(name, raw.get("oedema")),
        metrics=raw.get("metrics", {}),
    )


def _oedema(name: str, raw: Mapping[str, Any] | None) -> Oedema | None:
    if raw is None:
        return None
    try:
        output, temperature, threshold = raw["output"], raw["temperature"], raw["threshold"]
    except (KeyError, TypeError) as error:
        raise ModelError(f"{name}: oedema needs output, temperature and threshold, found {raw!r}") from error
    where = f"{name}: oedema"
    return Oedema(_index(where, output), _temperature(where, temperature), _probability(where, "threshold", threshold))


def _probability(name: str, field: str, value: Any) -> float:
    if not 0.0 < value < 1.0:
        raise ModelError(f"{name}: {field} {value} is no probability")
    return float(value)


def _temperature(name: str, value: Any) -> float:
    if not 0.0 < value < math.inf:
        raise ModelError(f"{name}: temperature {value} is not above zero")
    return float(value)


def _index(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ModelError(f"{name}: output {value!r} is no index")
    return value
