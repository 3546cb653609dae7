"""`models/<programme>/manifest.json`: what a programme's models are, how they decide, how to know they are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1


class ModelError(Exception):
    """A model that must not be used: missing, altered, incomplete, or wrong on its golden cases."""


@dataclass(frozen=True)
class Tier:
    """One ONNX file: `size` is the side of the square it reads, `threshold` applies to the calibrated probability,
    `temperature` divides the logit before the sigmoid, `output` is the index of the logit that is thresholded."""

    name: str
    file: Path
    sha256: str
    bytes: int
    size: int
    threshold: float
    temperature: float
    output: int
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


def verified_bytes(tier: Tier) -> bytes:
    """The model file's bytes, after their hash was checked: what runs is what was checked. Raises ModelError."""
    try:
        content = tier.file.read_bytes()
    except OSError as error:
        raise ModelError(f"{tier.file}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != tier.sha256:
        raise ModelError(f"{tier.file.name}: sha256 is {found[:12]}…, the manifest says {tier.sha256[:12]}…")
    return content


def _tier(folder: Path, name: str, raw: Mapping[str, Any]) -> Tier:
    file = folder / raw["file"]
    if file.parent != folder:
        raise ModelError(f"{name}: {raw['file']!r} leaves the model's folder")
    if not 0.0 < raw["threshold"] < 1.0:
        raise ModelError(f"{name}: threshold {raw['threshold']} is no probability")
    return Tier(
        name=name,
        file=file,
        sha256=str(raw["sha256"]),
        bytes=int(raw["bytes"]),
        size=int(raw["size"]),
        threshold=float(raw["threshold"]),
        temperature=float(raw.get("temperature", 1.0)),
        output=int(raw["output"]),
        metrics=raw.get("metrics", {}),
    )
