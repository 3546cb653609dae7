"""Freeze an exported model: temperature and threshold from val, golden cases, manifest.

    python -m models.lab.release --export models/lab/runs/export --version 0.1.0

Refuses to release when a drawn retina does not come out as it must. The test split is not touched.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.dr import phantom
from models.lab import data
from models.lab.net import REFERABLE
from models.lab.quantise import run
from models.lab.settings import RUNS, read
from services.inference import quality
from services.inference.evaluate import auc, labelled
from services.inference.preprocess import find_field, square

MODELS = Path(__file__).resolve().parents[1]


@dataclass
class Settings:
    export: str = str(RUNS / "export")
    gate: str = str(RUNS / "quality.json")
    models: str = str(MODELS)
    version: str = "0.1.0"
    sensitivity: float = 0.92  # on the gradable part of val, where the threshold is frozen
    tolerance: float = 0.05  # of a golden case's probability, between processors
    golden_size: int = 400  # pixels


def temperature_of(logits: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """The temperature with the least negative log-likelihood."""
    grid = np.geomspace(0.25, 4, 161)
    z = logits[None, :] / grid[:, None]
    loss = np.where(positive, np.logaddexp(0, -z), np.logaddexp(0, z)).mean(axis=1)
    return round(float(grid[loss.argmin()]), 3)


def threshold_for(sensitivity: float, probability: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """The highest threshold that keeps this sensitivity, halfway to the next score below."""
    ranked = np.sort(probability[positive])[::-1]
    needed = math.ceil(sensitivity * len(ranked))
    lowest = ranked[needed - 1]
    below = probability[probability < lowest]
    return round(float((lowest + below.max()) / 2 if len(below) else lowest), 4)


def golden_pictures(size: int) -> dict[str, tuple[Image.Image, bool, bool]]:
    """File name to picture, gradable, referable."""
    found: dict[str, tuple[Image.Image, bool, bool]] = {}
    for seed in (1, 2):
        found[f"golden/clean-{seed}.jpg"] = (phantom.draw(seed, size), True, False)
        found[f"golden/lesions-{seed}.jpg"] = (phantom.draw(seed, size, lesions=True), True, True)
    found["golden/blurred.jpg"] = (phantom.draw(3, size).filter(ImageFilter.GaussianBlur(size / 40)), False, False)
    return found


def main(settings: Settings) -> dict[str, Any]:
    export, folder = Path(settings.export), Path(settings.models) / "dr"
    gate = json.loads(Path(settings.gate).read_text())
    compressed = json.loads((export / "quantise.json").read_text())
    content = (export / "full.onnx").read_bytes()
    size = compressed["size"]

    rows = labelled(data.shared() / "dr", "val")
    squares, gradable = [], []
    for row in rows:
        with Image.open(data.shared() / "dr" / "images" / row["image"]) as image:
            field = find_field(image)
            squares.append(square(image, size, field))
            gradable.append(quality.assess(image, gate["parameters"], field).gradable)
    seen = np.array(gradable)
    positive = np.array([int(row["grade"]) >= 2 for row in rows])[seen]
    logits = run(export / "full.onnx", np.stack(squares)[seen])[:, REFERABLE]
    temperature = temperature_of(logits, positive)
    probability = 1 / (1 + np.exp(-logits / temperature))
    threshold = threshold_for(settings.sensitivity, probability, positive)

    (folder / "golden").mkdir(parents=True, exist_ok=True)
    golden = []
    for name, (picture, is_gradable, is_referable) in golden_pictures(settings.golden_size).items():
        picture.save(folder / name, quality=90)
        with Image.open(folder / name) as image:
            verdict = quality.assess(image, gate["parameters"])
            logit = run(export / "full.onnx", square(image, size)[None])[0, REFERABLE]
        risk = float(1 / (1 + np.exp(-logit / temperature)))
        if verdict.gradable != is_gradable or (is_gradable and (risk >= threshold) != is_referable):
            raise RuntimeError(f"{name}: {verdict}, probability {risk:.3f}, threshold {threshold}: not to be released")
        golden.append(
            {
                "file": name,
                "gradable": is_gradable,
                "referable": is_referable,
                "probability": {"full": round(risk, 4)} if is_gradable else {},
            }
        )
    manifest = {
        "format": 1,
        "programme": "dr",
        "name": "jicho-dr",
        "version": settings.version,
        "tiers": {
            "full": {
                "file": "full.onnx",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "size": size,
                "output": REFERABLE,
                "temperature": temperature,
                "threshold": threshold,
                "metrics": {
                    "val_auc": round(auc(positive, probability), 4),
                    "val_sensitivity": round(float((probability[positive] >= threshold).mean()), 4),
                    "val_specificity": round(float((probability[~positive] < threshold).mean()), 4),
                    "float32_bytes": compressed["float32"]["bytes"],
                    "float32_val_auc": round(compressed["float32"]["val_auc"], 4),
                },
            }
        },
        "quality": gate["parameters"],
        "quality_metrics": gate["metrics"],
        "golden": golden,
        "tolerance": settings.tolerance,
    }
    (folder / "full.onnx").write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


if __name__ == "__main__":
    released = main(read(Settings))
    print(json.dumps({"tiers": released["tiers"], "golden": released["golden"]}, indent=1))
