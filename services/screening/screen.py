"""One photograph from a file to an outcome, with no server: what `python app.py screen` prints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from services.inference.engine import Engine, outcome_of
from services.inference.heatmap import explain, overlay
from services.screening.sanitise import BadPhotograph, sanitise


def screen_file(path: Path, engine: Engine, heatmap: Path | None = None) -> dict[str, Any]:
    """The result of one file, or `{"image", "error"}` for what is no usable photograph. The heat map of a referable eye
    is written to `heatmap`, if given; the result then says where it is, or None. Raises OSError when it cannot be."""
    started = time.perf_counter()
    try:
        photograph = sanitise(path.read_bytes())
    except OSError as error:
        return {"image": str(path), "error": f"cannot be read: {error.strerror or error}"}
    except BadPhotograph as problem:
        return {"image": str(path), "error": f"{problem.message_id}: {problem.detail}"}
    sanitised = time.perf_counter()
    found = engine.read(photograph.image)
    milliseconds = {"sanitise": (sanitised - started) * 1000, **found.milliseconds}
    milliseconds["total"] = (time.perf_counter() - started) * 1000
    result = {
        "image": str(path),
        "programme": found.programme,
        "tier": found.tier,
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
            "name": found.model.name,
            "version": found.model.version,
            "sha256": found.model.sha256,
            "threshold": found.model.threshold,
            "doubt": found.model.doubt,
            "oedema_threshold": found.model.oedema_threshold,
        },
        "milliseconds": {name: round(value, 2) for name, value in milliseconds.items()},
    }
    if heatmap is not None:
        heat = explain(engine, photograph.image, found)
        if heat is not None:
            heatmap.write_bytes(overlay(photograph.image, heat))
        result["heatmap"] = str(heatmap) if heat else None
    return result
