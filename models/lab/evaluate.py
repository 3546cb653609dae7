"""Measure the released model as the clinic runs it, and log each look at the test split.

    python -m models.lab.evaluate --split val
    python -m models.lab.evaluate --split test --why "release 0.2.0"

Writes models/dr/metrics.json (read by `card`) and, for test, adds a line to models/dr/looks.json.
"""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from models.lab import data
from models.lab.settings import read
from services.inference.engine import Engine
from services.inference.evaluate import REFERABLE_GRADE, Case, evaluate, figures, labelled

MODELS = Path(__file__).resolve().parents[1]


@dataclass
class Settings:
    models: str = str(MODELS)
    split: str = "val"
    why: str = ""  # must be given for the test split
    recompress: bool = True  # also measure on smaller JPEGs


def recompressed(engine: Engine, split: str, quality: int, side: int) -> dict[str, Any]:
    """The figures when each photograph is reduced to `side` pixels and saved as a JPEG of this quality first."""
    cases, sizes = [], []
    for row in labelled(data.shared() / "dr", split):
        with Image.open(data.shared() / "dr" / "images" / row["image"]) as image:
            small = image.convert("RGB").resize((side, side), Image.Resampling.BOX)
        file = io.BytesIO()
        small.save(file, "JPEG", quality=quality)
        sizes.append(len(file.getvalue()))
        reading = engine.read(Image.open(file).convert("RGB"))
        cases.append(Case(row["image"], row["source"], int(row["grade"]), reading.probability))
    kept = {name: value for name, value in figures(cases, engine.tier.threshold).items() if name != "positives"}
    return {"jpeg_quality": quality, "side": side, "median_bytes": sorted(sizes)[len(sizes) // 2], **kept}


def oedema(engine: Engine, split: str) -> dict[str, float | int]:
    """How many with macular oedema but a grade below 2 are referred: referable by the rules, not by their grade."""
    rows = [r for r in labelled(data.shared() / "dr", split) if r["dme"] and float(r["dme"]) > 0]
    rows = [row for row in rows if int(row["grade"]) < REFERABLE_GRADE]
    referred = 0
    for row in rows:
        with Image.open(data.shared() / "dr" / "images" / row["image"]) as image:
            referred += engine.read(image.convert("RGB")).referable is not False
    return {"n": len(rows), "referred": referred}


def main(settings: Settings) -> dict[str, Any]:
    if settings.split == "test" and not settings.why:
        raise ValueError("say --why the test split is looked at; it goes into the card")
    engine = Engine(Path(settings.models), "dr")
    found = evaluate(data.shared() / "dr", engine, settings.split)
    found["oedema_below_grade_2"] = oedema(engine, settings.split)
    if settings.recompress:
        found["recompressed"] = [
            recompressed(engine, settings.split, q, side) for q, side in ((60, 320), (30, 320), (60, 200))
        ]
    folder = Path(settings.models) / "dr"
    path = folder / "metrics.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    if known.get("model") != engine.identity.sha256:
        known = {"model": engine.identity.sha256}
    known[settings.split] = found
    path.write_text(json.dumps(known, indent=1) + "\n")
    if settings.split == "test":
        log = folder / "looks.json"
        looks = json.loads(log.read_text()) if log.exists() else []
        looks.append(
            {
                "date": datetime.date.today().isoformat(),
                "version": engine.identity.version,
                "model": engine.identity.sha256[:12],
                "auc": found["auc"],
                "sensitivity": found["sensitivity"],
                "specificity": found["specificity"],
                "why": settings.why,
            }
        )
        log.write_text(json.dumps(looks, indent=1) + "\n")
    return found


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
