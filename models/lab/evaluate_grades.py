"""A grader's figures: those of `services/inference/evaluate.py`, oedema, and what smaller JPEGs cost."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from models.lab import data
from models.lab.programme import Programme
from services.inference.engine import Engine
from services.inference.evaluate import REFERABLE_GRADE, Case, evaluate, figures
from services.inference.labels import labelled
from services.screening.sanitise import sanitise

SENT = 1600  # pixels: to this side messengers reduce a photograph
CARRIED = ((SENT, 400_000), (SENT, 200_000), (SENT, 100_000), (SENT, 50_000), (320, 10_000), (320, 6_000))


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


def measure(models: Path, programme: Programme, tier: str, split: str, carry: bool) -> tuple[str, dict[str, Any]]:
    """The graph's SHA-256 and the tier's figures; with `carry` also on smaller JPEGs."""
    engine = Engine(models, programme.name, tier)
    folder = data.folder_of(programme, "")
    found = evaluate(folder, engine, split, decode=lambda sent: sanitise(sent).image)
    found["oedema_below_grade_2"] = oedema(engine, split)
    if carry:
        found["carried"] = [carried(engine, split, side, limit) for side, limit in CARRIED]
    return engine.identity.sha256, found
