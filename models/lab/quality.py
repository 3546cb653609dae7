"""Fit the quality gate: EyeQ labels for gradability, maize leaves and drawn clutter for what is no retina.

    python -m models.lab.quality

Fitted on train, thresholds from val, measured once on test; writes runs/dr/quality.json for the card and the manifest.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression

from models.lab.clutter import clutter, in_circle
from models.lab.data import shared
from models.lab.settings import RUNS, read
from services.inference.evaluate import auc
from services.inference.preprocess import square
from services.inference.quality import SIDE, STATISTICS, beyond, statistics

Floats = NDArray[np.float64]


@dataclass
class Settings:
    keep: float = 0.97  # share of gradable photographs (EyeQ and dr, val) that must pass
    strangers: float = 0.96  # share of pictures of something else (val) that must be called no retina
    strength: float = 0.3  # inverse of the ridge penalty
    smallest_field: int = 200  # pixels
    drawn: int = 400  # drawn pictures a split that are no retina
    out: str = str(RUNS / "dr" / "quality.json")


def spoil(image: Image.Image, kind: str, rng: np.random.Generator) -> Image.Image:
    """A good photograph as a bad one: out of focus, underexposed, or washed out by flash or haze."""
    if kind == "blurred":
        return image.filter(ImageFilter.GaussianBlur(image.width * float(rng.uniform(0.02, 0.05))))
    pixels = np.asarray(image, dtype=np.float64)
    inside = pixels.max(axis=2, keepdims=True) > 12
    if kind == "dark":
        pixels = pixels * rng.uniform(0.04, 0.16) + rng.normal(0, 1, pixels.shape)
    else:
        haze = rng.uniform(0.55, 0.9)
        pixels = np.where(inside, pixels * (1 - haze) + rng.uniform(225, 255) * haze, pixels)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def rows_of(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / "labels.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def measure(folder: Path, rows: list[dict[str, str]]) -> Floats:
    values = []
    for row in rows:
        with Image.open(folder / "images" / row["image"]) as image:
            values.append(statistics(square(image, SIDE)))
    return np.array(values).reshape(-1, len(STATISTICS))


def others(split: str, drawn: int) -> dict[str, Floats]:
    """Statistics of pictures that are no retina: maize leaves (whole, and cut to a circle) and drawn clutter."""
    rng = np.random.default_rng({"train": 1, "val": 2, "test": 3}[split])
    leaves: list[Floats] = []
    for row in rows_of(shared() / "maize", split)[: 2 * drawn]:
        with Image.open(shared() / "maize" / "images" / row["image"]) as image:
            leaf = image.convert("RGB")
        leaves.append(statistics(square(in_circle(leaf, rng) if rng.random() < 0.4 else leaf, SIDE)))
    return {
        "maize": np.array(leaves),
        "drawn": np.array([statistics(square(clutter(rng), SIDE)) for _ in range(drawn)]),
    }


def spoilt(split: str, count: int) -> dict[str, Floats]:
    """Statistics of retinas that were good until they were spoilt: retinas still, but nobody can grade them."""
    rng = np.random.default_rng({"train": 11, "val": 12, "test": 13}[split])
    good = [("quality", r["image"]) for r in rows_of(shared() / "quality", split) if r["quality"] == "0"]
    good += [("dr", row["image"]) for row in rows_of(shared() / "dr", split)]
    found: dict[str, list[Floats]] = {"blurred": [], "dark": [], "bright": []}
    for at in rng.permutation(len(good))[:count]:
        with Image.open(shared() / good[at][0] / "images" / good[at][1]) as image:
            for kind, values in found.items():
                values.append(statistics(square(spoil(image.convert("RGB"), kind, rng), SIDE)))
    return {kind: np.array(values) for kind, values in found.items()}


def gather(split: str, drawn: int) -> dict[str, Any]:
    eyeq_rows, dr_rows = rows_of(shared() / "quality", split), rows_of(shared() / "dr", split)
    reject = np.array([bool(row["eyeq"]) and float(row["eyeq"]) == 2 for row in dr_rows])
    return {
        "eyeq": measure(shared() / "quality", eyeq_rows),
        "eyeq_good": np.array([int(row["quality"]) < 2 for row in eyeq_rows]),
        "dr": measure(shared() / "dr", dr_rows),
        "dr_good": ~reject,
        **others(split, drawn),
        **spoilt(split, drawn // 2),
    }


def fit(values: Floats, good: NDArray[np.bool_], weight: Floats, strength: float) -> dict[str, Any]:
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-9
    low, high = np.percentile(values, 0.2, axis=0), np.percentile(values, 99.8, axis=0)
    z = (np.clip(values, low, high) - mean) / deviation
    model = LogisticRegression(C=strength, max_iter=5000).fit(np.hstack([z, z**2]), good, sample_weight=weight)
    linear, square_ = np.split(model.coef_[0], 2)
    usual_low, usual_high = np.percentile(values[good], (2, 98), axis=0)
    arrays = {
        "mean": mean, "deviation": deviation, "low": low, "high": high,
        "linear": linear, "square": square_, "usual_low": usual_low, "usual_high": usual_high,
        "seen_low": values[good].min(axis=0), "seen_high": values[good].max(axis=0),
    }  # fmt: skip
    return {"intercept": round(float(model.intercept_[0]), 5)} | {
        name: [round(float(v), 5) for v in array] for name, array in arrays.items()
    }


def score(model: dict[str, Any], values: Floats) -> Floats:
    z = (np.clip(values, model["low"], model["high"]) - model["mean"]) / np.array(model["deviation"])
    logit = model["intercept"] + z @ np.array(model["linear"]) + z**2 @ np.array(model["square"])
    return np.asarray(1 / (1 + np.exp(-logit)))


def main(settings: Settings) -> dict[str, Any]:
    train, val, test = (gather(split, settings.drawn) for split in ("train", "val", "test"))

    bad = np.concatenate([train[kind] for kind in ("blurred", "dark", "bright")])
    retina = np.concatenate([train["eyeq"], train["dr"], bad])
    no_retina = np.concatenate([train["maize"], train["drawn"]])
    values, is_retina = np.concatenate([retina, no_retina]), np.arange(len(retina) + len(no_retina)) < len(retina)
    retina_model = fit(values, is_retina, np.where(is_retina, 1.0, len(retina) / len(no_retina)), settings.strength)
    # As low as it may be: a leaf that is let through harms less than a sick eye that is called no eye.
    strangers = np.concatenate([val["maize"], val["drawn"]])
    retina_model["threshold"] = round(float(np.quantile(score(retina_model, strangers), settings.strangers)), 4)

    values = np.concatenate([train["eyeq"], train["dr"], bad])
    good = np.concatenate([train["eyeq_good"], train["dr_good"], np.zeros(len(bad), dtype=bool)])
    gradable_model = fit(values, good, np.ones(len(good)), settings.strength)
    cut = min(
        float(np.quantile(score(gradable_model, val["eyeq"][val["eyeq_good"]]), 1 - settings.keep)),
        float(np.quantile(score(gradable_model, val["dr"][val["dr_good"]]), 1 - settings.keep)),
    )
    gradable_model["threshold"] = round(cut, 4)

    def passed(part: Floats) -> NDArray[np.bool_]:
        sound = np.array([not beyond(one, gradable_model) for one in part])
        called_retina = score(retina_model, part) >= retina_model["threshold"]
        return np.asarray(sound & called_retina & (score(gradable_model, part) >= gradable_model["threshold"]))

    def figures(part: dict[str, Any]) -> dict[str, float]:
        found = {
            "eyeq_auc": auc(part["eyeq_good"], score(gradable_model, part["eyeq"])),
            "eyeq_gradable_passed": passed(part["eyeq"][part["eyeq_good"]]).mean(),
            "eyeq_reject_stopped": 1 - passed(part["eyeq"][~part["eyeq_good"]]).mean(),
            "dr_gradable_passed": passed(part["dr"][part["dr_good"]]).mean(),
            "dr_reject_stopped": 1 - passed(part["dr"][~part["dr_good"]]).mean(),
            **{f"{kind}_stopped": 1 - passed(part[kind]).mean() for kind in ("blurred", "dark", "bright")},
            "dr_called_retina": (score(retina_model, part["dr"]) >= retina_model["threshold"]).mean(),
            "reject_called_retina": (
                score(retina_model, part["eyeq"][~part["eyeq_good"]]) >= retina_model["threshold"]
            ).mean(),
            "blurred_called_retina": (score(retina_model, part["blurred"]) >= retina_model["threshold"]).mean(),
            "maize_stopped": 1 - passed(part["maize"]).mean(),
            "drawn_stopped": 1 - passed(part["drawn"]).mean(),
            "maize_not_retina": (score(retina_model, part["maize"]) < retina_model["threshold"]).mean(),
            "drawn_not_retina": (score(retina_model, part["drawn"]) < retina_model["threshold"]).mean(),
        }
        return {name: round(float(value), 4) for name, value in found.items()}

    result = {
        "parameters": {
            "smallest_field": settings.smallest_field, "retina": retina_model, "gradable": gradable_model,
        },
        "metrics": {"val": figures(val), "test": figures(test)},
    }  # fmt: skip
    Path(settings.out).parent.mkdir(parents=True, exist_ok=True)
    Path(settings.out).write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    print(json.dumps(main(read(Settings))["metrics"], indent=1))
