"""One photograph from a file to an outcome, with no server: what `python app.py screen` prints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from services.inference.engine import Engine, outcome_of
from services.screening.sanitise import BadPhotograph, sanitise


def screen_file(path: Path, engine: Engine) -> dict[str, Any]:
    """The result of one file, or `{"image", "error"}` for what is no usable photograph."""
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
    return {
        "image": str(path),
        "programme": found.programme,
        "tier": found.tier,
        "quality": {
            "gradable": found.quality.gradable,
            "score": round(found.quality.score, 4),
            "reasons": list(found.quality.reasons),
        },
        "probability": None if found.probability is None else round(found.probability, 4),
        "referable": found.referable,
        "outcome": outcome_of(found),
        "model": {
            "name": found.model.name,
            "version": found.model.version,
            "sha256": found.model.sha256,
            "threshold": found.model.threshold,
        },
        "milliseconds": {name: round(value, 2) for name, value in milliseconds.items()},
    }
