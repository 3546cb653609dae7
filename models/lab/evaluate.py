"""Measure the released tiers as the clinic runs them, and log each look at the test split.

    python -m models.lab.evaluate --split val
    python -m models.lab.evaluate --split test --why "release 0.2.0"

Writes models/dr/metrics.json (read by `card`) and, for test, adds a line to models/dr/looks.json.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from models.lab import data, looks
from models.lab.settings import read
from services.inference.engine import Engine
from services.inference.evaluate import REFERABLE_GRADE, Case, evaluate, figures
from services.inference.labels import labelled
from services.inference.manifest import load
from services.screening.sanitise import sanitise

MODELS = Path(__file__).resolve().parents[1]
SENT = 1600  # pixels: to this side messengers reduce a photograph
CARRIED = ((SENT, 400_000), (SENT, 200_000), (SENT, 100_000), (SENT, 50_000), (320, 10_000), (320, 6_000))


@dataclass
class Settings:
    models: str = str(MODELS)
    split: str = "val"
    why: str = ""  # must be given for the test split
    carry: bool = True  # also measure on smaller JPEGs


def jpeg(image: Image.Image, limit: int) -> bytes:
    """The best JPEG of at most `limit` bytes, or the worst there is."""
    low, high, best = 1, 96, 1
    while low <= high:
        quality = (low + high) // 2
        if len(encoded(image, quality)) <= limit:
            low, best = quality + 1, quality
        else:
            high = quality - 1
    return encoded(image, best)


def encoded(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def carried(engine: Engine, split: str, side: int, limit: int) -> dict[str, Any]:
    """The figures when each photograph is brought to `side` pixels and a file of at most `limit` bytes first. Those of
    the data set are small, so that a large file has no more detail here than a small one: only artefacts count."""
    cases, sizes = [], []
    for row in labelled(data.shared() / "dr", split):
        with Image.open(data.shared() / "dr" / "images" / row["image"]) as image:
            picture = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
        sent = jpeg(picture, limit)
        sizes.append(len(sent))
        reading = engine.read(sanitise(sent).image)
        cases.append(
            Case(row["image"], row["source"], int(row["grade"]), reading.probability, "oedema" in reading.signs)
        )
    found = figures(cases, engine.tier.threshold, engine.tier.doubt)
    return {"side": side, "limit": limit, "median_bytes": sorted(sizes)[len(sizes) // 2], **found}


def oedema(engine: Engine, split: str) -> dict[str, float | int]:
    """How many with macular oedema but a grade below 2 are referred: referable by the rules, not by their grade."""
    rows = [r for r in labelled(data.shared() / "dr", split) if r["dme"] and float(r["dme"]) > 0]
    rows = [row for row in rows if int(row["grade"]) < REFERABLE_GRADE]
    referred = 0
    for row in rows:
        sent = (data.shared() / "dr" / "images" / row["image"]).read_bytes()
        referred += engine.read(sanitise(sent).image).referable is not False
    return {"n": len(rows), "referred": referred}


def main(settings: Settings) -> dict[str, Any]:
    """Measure every tier of the manifest on one split."""
    folder = Path(settings.models) / "dr"
    path = folder / "metrics.json"
    known = json.loads(path.read_text()).get("tiers", {}) if path.exists() else {}
    if settings.split == "test" and not settings.why:
        raise ValueError("say --why the test split is looked at; it goes into the card")
    measured: dict[str, Any] = {}
    for name in load(Path(settings.models), "dr").tiers:
        engine = Engine(Path(settings.models), "dr", name)
        found = evaluate(data.shared() / "dr", engine, settings.split, decode=lambda sent: sanitise(sent).image)
        found["oedema_below_grade_2"] = oedema(engine, settings.split)
        if settings.carry and not measured:
            found["carried"] = [carried(engine, settings.split, side, limit) for side, limit in CARRIED]
        earlier = known.get(name, {})
        same = earlier if earlier.get("model") == engine.identity.sha256 else {}
        measured[name] = {**same, "model": engine.identity.sha256, settings.split: found}
    path.write_text(json.dumps({"tiers": measured}, indent=1) + "\n")
    if settings.split == "test":
        looks.note(folder, settings.why, {name: splits["test"] for name, splits in measured.items()})
    return measured


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
