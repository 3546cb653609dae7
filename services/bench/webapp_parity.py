"""Whether a browser and the server make the same of a photograph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.bench.webapp_browser import read
from services.inference.engine import Engine, outcome_of
from services.inference.manifest import load
from services.screening.engines import MODELS
from services.screening.sanitise import BadPhotograph, sanitise

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass
class Agreement:
    """What was compared for one tier, and what differed: the largest difference of a probability, of retinopathy or of
    oedema, of a quality score, and the names of the pictures with another outcome."""

    pictures: int = 0
    graded: int = 0
    refused: int = 0
    probability: float = 0.0
    score: float = 0.0
    others: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


def compare(page: Page, pictures: Iterable[tuple[str, bytes]]) -> dict[str, Agreement]:
    """Reads every picture with every tier on both sides."""
    engines = {name: Engine(MODELS, "dr", name) for name in load(MODELS, "dr").tiers}
    found = {name: Agreement() for name in engines}
    given = list(pictures)
    for tier, engine in engines.items():
        for name, content in given:
            _compare(found[tier], name, _here(engine, content), read(page, tier, content))
    return found


def _here(engine: Engine, content: bytes) -> dict[str, Any]:
    try:
        reading = engine.read(sanitise(content).image)
    except BadPhotograph as problem:
        return {"error": problem.message_id}
    quality = {"score": reading.quality.score, "reasons": list(reading.quality.reasons)}
    return {
        "reading": {
            "quality": quality,
            "outcome": outcome_of(reading),
            "signs": list(reading.signs),
            "probability": reading.probability,
            "oedema_probability": reading.oedema_probability,
        }
    }


def _compare(found: Agreement, name: str, here: dict[str, Any], there: dict[str, Any]) -> None:
    found.pictures += 1
    if "error" in here or "error" in there:
        found.refused += 1
        if here.get("error") != there.get("error"):
            found.others.append(name)
        return
    ours, theirs = here["reading"], there["reading"]
    found.outcomes[ours["outcome"]] = found.outcomes.get(ours["outcome"], 0) + 1
    found.score = max(found.score, abs(ours["quality"]["score"] - theirs["quality"]["score"]))
    same = all(ours[part] == theirs[part] for part in ("outcome", "signs"))
    if not same or ours["quality"]["reasons"] != theirs["quality"]["reasons"]:
        found.others.append(name)
    for part in ("probability", "oedema_probability"):
        if (ours[part] is None) != (theirs[part] is None):
            found.others.append(name)
        elif ours[part] is not None:
            found.probability = max(found.probability, abs(ours[part] - theirs[part]))
    found.graded += ours["probability"] is not None
