"""One photograph from a file to an outcome, with no server: what `python app.py screen` prints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from services.inference.classes import Classifier, ClassReading
from services.inference.engine import Reading, outcome_of
from services.inference.graph import ModelIdentity
from services.inference.heatmap import explain, explain_class, overlay
from services.inference.opening import AnyEngine
from services.screening.sanitise import BadPhotograph, sanitise


def screen_file(path: Path, engine: AnyEngine, heatmap: Path | None = None) -> dict[str, Any]:
    """The result of one file, or `{"image", "error"}` for what is no usable photograph. The heat map of a referable eye
    or a sick leaf is written to `heatmap`, if given; the result then says where it is, or None. Raises OSError when it
    cannot be."""
    started = time.perf_counter()
    try:
        photograph = sanitise(path.read_bytes())
    except OSError as error:
        return {"image": str(path), "error": f"cannot be read: {error.strerror or error}"}
    except BadPhotograph as problem:
        return {"image": str(path), "error": f"{problem.message_id}: {problem.detail}"}
    sanitised = time.perf_counter()
    if isinstance(engine, Classifier):
        named = engine.read(photograph.image)
        found: Reading | ClassReading = named
        said = _of_classes(named)
        heat = explain_class(engine, photograph.image, named) if heatmap else None
    else:
        graded = engine.read(photograph.image)
        found, said = graded, _of_grades(graded)
        heat = explain(engine, photograph.image, graded) if heatmap else None
    milliseconds = {"sanitise": (sanitised - started) * 1000, **found.milliseconds}
    milliseconds["total"] = (time.perf_counter() - started) * 1000
    result = {
        "image": str(path),
        "programme": found.programme,
        "tier": found.tier,
        **said,
        "milliseconds": {name: round(value, 2) for name, value in milliseconds.items()},
    }
    if heatmap is not None:
        if heat is not None:
            heatmap.write_bytes(overlay(photograph.image, heat))
        result["heatmap"] = str(heatmap) if heat else None
    return result


def _of_grades(found: Reading) -> dict[str, Any]:
    return {
        "quality": {
            "gradable": found.quality.gradable,
            "score": round(found.quality.score, 4),
            "reasons": list(found.quality.reasons),
        },
        "probability": None if found.probability is None else round(found.probability, 4),
        "confidence": None if found.confidence is None else round(found.confidence, 4),
        "oedema_probability": None if found.oedema_probability is None else round(found.oedema_probability, 4),
        "doubtful": found.doubtful,
        "signs": list(found.signs),
        "referable": found.referable,
        "outcome": outcome_of(found),
        "model": {
            **_identity(found.model),
            "threshold": found.model.threshold,
            "doubt": found.model.doubt,
            "oedema_threshold": found.model.oedema_threshold,
        },
    }


def _of_classes(found: ClassReading) -> dict[str, Any]:
    return {
        "found": found.found,
        "probability": round(found.probability, 4),
        "probabilities": {name: round(value, 4) for name, value in found.probabilities.items()},
        "model": {**_identity(found.model), "abstain_below": found.model.threshold},
    }


def _identity(model: ModelIdentity) -> dict[str, str]:
    return {"name": model.name, "version": model.version, "sha256": model.sha256}


def plainly(result: dict[str, Any]) -> str:
    """A result as one line for a person."""
    if "error" in result:
        return f"{result['image']}: {result['error']}"
    if "found" in result:
        said = result["found"] or "cannot tell"
        line = f"{result['image']}: {said} (probability {result['probability']:.2f}"
    else:
        reasons = ", ".join(result["quality"]["reasons"])
        detail = reasons if result["probability"] is None else f"probability {result['probability']:.2f}"
        detail += "".join(f", {word}" for word in [*(["in doubt"] if result["doubtful"] else []), *result["signs"]])
        line = f"{result['image']}: {result['outcome']} ({detail}"
    line += f"; {result['milliseconds']['total']:.0f} ms)"
    if "heatmap" in result:
        why_not = "no disease named" if "found" in result else "not referable"
        line += f"; heat map in {result['heatmap']}" if result["heatmap"] else f"; {why_not}, so no heat map"
    return line
