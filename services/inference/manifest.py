"""`models/<programme>/manifest.json`: what a programme's models are, how they decide, how to know they are whole."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
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
    """One ONNX file: `size` is the side of the square it reads, `temperature` divides its logits before they become a
    probability, `views` is over how many mirrored copies of the square they are averaged."""

    name: str
    file: Path
    sha256: str
    bytes: int
    size: int
    temperature: float
    views: int
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class GradesTier(Tier):
    """`threshold` applies to the calibrated probability, `output` is the index of the logit that is thresholded.

    A probability from `doubt` up to `threshold` is too uncertain to be called normal; the two are equal when there is
    no such band. `oedema` is None for a graph that does not look for it."""

    threshold: float
    doubt: float
    output: int
    oedema: Oedema | None


@dataclass(frozen=True)
class ClassesTier(Tier):
    """Below `abstain_below` the likeliest class is not said."""

    abstain_below: float


@dataclass(frozen=True)
class Golden:
    """A drawn picture, a file beside the manifest, with the probability that each tier gave when it was released."""

    file: Path
    probability: Mapping[str, float]


@dataclass(frozen=True)
class GoldenGrade(Golden):
    gradable: bool
    referable: bool


@dataclass(frozen=True)
class GoldenClass(Golden):
    """`said` is the class that each tier named, None where it named none."""

    said: Mapping[str, str | None]


@dataclass(frozen=True)
class Manifest:
    """A programme's models. `tolerance` is how far a golden case's probability may lie from the released one on another
    processor."""

    programme: str
    name: str
    version: str
    tiers: Mapping[str, Tier]
    golden: tuple[Golden, ...]
    tolerance: float

    def _chosen(self, name: str | None) -> str:
        name = name or next(iter(self.tiers))
        if name not in self.tiers:
            raise ModelError(f"{self.programme} has no tier {name!r}; it has {', '.join(self.tiers)}")
        return name


@dataclass(frozen=True)
class Grades(Manifest):
    """Says how likely referable disease is. `quality` holds the quality gate's parameters."""

    tiers: Mapping[str, GradesTier]
    golden: tuple[GoldenGrade, ...]
    quality: Mapping[str, Any]

    def tier(self, name: str | None = None) -> GradesTier:
        """The named tier, or the first one, which is the best. Raises ModelError for an unknown name."""
        return self.tiers[self._chosen(name)]


@dataclass(frozen=True)
class Classes(Manifest):
    """Says which of some classes a picture shows, in the order of the graph's logits; `healthy` is one of them."""

    tiers: Mapping[str, ClassesTier]
    golden: tuple[GoldenClass, ...]
    classes: tuple[str, ...]
    healthy: str

    def tier(self, name: str | None = None) -> ClassesTier:
        """The named tier, or the first one, which is the best. Raises ModelError for an unknown name."""
        return self.tiers[self._chosen(name)]


def load(models_dir: Path, programme: str) -> Grades | Classes:
    """Read and check a manifest (not yet the files it names). Raises ModelError."""
    path = models_dir / programme / "manifest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ModelError(f"{path}: format {raw['format']}, this release reads {FORMAT}")
        kind = raw.get("kind", "grades")
        if kind not in _KINDS:
            raise ModelError(f"{path}: is of kind {kind!r}, this release reads {', '.join(_KINDS)}")
        manifest = _KINDS[kind](path.parent, raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: {type(error).__name__}: {error}") from error
    if manifest.programme != programme:
        raise ModelError(f"{path}: is for programme {manifest.programme!r}")
    if not manifest.tiers:
        raise ModelError(f"{path}: names no tier")
    return manifest


def load_grades(models_dir: Path, programme: str) -> Grades:
    """The manifest of a programme that grades. Raises ModelError, for one of another kind too."""
    manifest = load(models_dir, programme)
    if not isinstance(manifest, Grades):
        raise ModelError(f"{programme}: grades nothing")
    return manifest


def load_classes(models_dir: Path, programme: str) -> Classes:
    """The manifest of a programme of classes. Raises ModelError, for one of another kind too."""
    manifest = load(models_dir, programme)
    if not isinstance(manifest, Classes):
        raise ModelError(f"{programme}: has no classes")
    return manifest


def _grades(folder: Path, raw: Mapping[str, Any]) -> Grades:
    return Grades(
        **_common(raw),
        tiers={name: _grades_tier(folder, name, tier) for name, tier in raw["tiers"].items()},
        golden=tuple(GoldenGrade(**case | {"file": folder / case["file"]}) for case in raw["golden"]),
        quality=raw["quality"],
    )


def _classes(folder: Path, raw: Mapping[str, Any]) -> Classes:
    classes = tuple(map(str, raw["classes"]))
    if raw["healthy"] not in classes:
        raise ModelError(f"{raw['programme']}: healthy, {raw['healthy']!r}, is none of {', '.join(classes)}")
    if raw["crop"] != "centre":
        raise ModelError(f"{raw['programme']}: crop {raw['crop']!r} is unknown, this release knows centre")
    return Classes(
        **_common(raw),
        tiers={name: _classes_tier(folder, name, tier) for name, tier in raw["tiers"].items()},
        golden=tuple(GoldenClass(folder / case["file"], case["probability"], case["class"]) for case in raw["golden"]),
        classes=classes,
        healthy=raw["healthy"],
    )


_KINDS: Mapping[str, Callable[[Path, Mapping[str, Any]], Grades | Classes]] = {"grades": _grades, "classes": _classes}


def _common(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: raw[name] for name in ("programme", "name", "version")} | {"tolerance": float(raw["tolerance"])}


def _grades_tier(folder: Path, name: str, raw: Mapping[str, Any]) -> GradesTier:
    threshold = _probability(name, "threshold", raw["threshold"])
    doubt = _probability(name, "doubt", raw.get("doubt", threshold))
    if doubt > threshold:
        raise ModelError(f"{name}: doubt {doubt} lies above the threshold {threshold}")
    return GradesTier(
        **_tier(folder, name, raw),
        threshold=threshold,
        doubt=doubt,
        output=_index(name, raw["output"]),
        oedema=_oedema(name, raw.get("oedema")),
    )


def _classes_tier(folder: Path, name: str, raw: Mapping[str, Any]) -> ClassesTier:
    return ClassesTier(
        **_tier(folder, name, raw), abstain_below=_probability(name, "abstain_below", raw["abstain_below"])
    )


def _tier(folder: Path, name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    file = folder / raw["file"]
    if file.parent != folder:
        raise ModelError(f"{name}: {raw['file']!r} leaves the model's folder")
    views = raw.get("views", 1)
    if views not in VIEWS:
        raise ModelError(f"{name}: views {views!r} is none of {', '.join(map(str, VIEWS))}")
    return {
        "name": name,
        "file": file,
        "sha256": str(raw["sha256"]),
        "bytes": int(raw["bytes"]),
        "size": int(raw["size"]),
        "temperature": _temperature(name, raw.get("temperature", 1.0)),
        "views": int(views),
        "metrics": raw.get("metrics", {}),
    }


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
