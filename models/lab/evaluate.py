"""Measure the released tiers as the product runs them, and log each look at the test split.

    python -m models.lab.evaluate --split val
    python -m models.lab.evaluate --split test --why "release 0.3.0"
    python -m models.lab.evaluate --programme maize --split val

Writes models/<programme>/metrics.json (read by `card`) and, for test, adds a line to its looks.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.lab import evaluate_classes, evaluate_grades, looks
from models.lab.programme import named
from models.lab.settings import read
from models.lab.tiers import MODELS

MEASURES = {"grades": evaluate_grades.measure, "classes": evaluate_classes.measure}
SHOWN = {"grades": looks.KEYS, "classes": ("accuracy", "accuracy_by_source", "answered", "accuracy_answered")}


@dataclass
class Settings:
    programme: str = "dr"
    models: str = str(MODELS)
    split: str = "val"
    why: str = ""  # must be given for the test split
    carry: bool = True  # grades: also measure on smaller JPEGs


def main(settings: Settings) -> dict[str, Any]:
    """Measure every tier of the manifest on one split."""
    programme, models = named(settings.programme), Path(settings.models)
    folder = models / programme.name
    path = folder / "metrics.json"
    known = json.loads(path.read_text()).get("tiers", {}) if path.exists() else {}
    if settings.split == "test" and not settings.why:
        raise ValueError("say --why the test split is looked at; it goes into the card")
    measure = MEASURES[programme.head.kind]
    measured: dict[str, Any] = {}
    for name in json.loads((folder / "manifest.json").read_text())["tiers"]:
        sha256, found = measure(models, programme, name, settings.split, settings.carry and not measured)
        earlier = known.get(name, {})
        same = earlier if earlier.get("model") == sha256 else {}
        measured[name] = {**same, "model": sha256, settings.split: found}
    path.write_text(json.dumps({"tiers": measured}, indent=1) + "\n")
    if settings.split == "test":
        shown = {name: splits["test"] for name, splits in measured.items()}
        looks.note(folder, settings.why, shown, SHOWN[programme.head.kind])
    return measured


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
