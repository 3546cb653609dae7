"""A release of grades: a tier has to clear the same sensitivity floor at its own threshold; one that does not is not
shipped. Thresholds and doubt are frozen on what the quality gate lets through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from models.dr import phantom
from models.lab import data
from models.lab.head import OEDEMA, REFERABLE
from models.lab.limits import Bools, doubt_for, sigmoid, temperature_of, threshold_for
from models.lab.programme import Pixels, named
from models.lab.settings import RUNS
from models.lab.tiers import Common, compression, described, exports, graphs, view_logits
from services.inference import quality
from services.inference.evaluate import REFERABLE_GRADE, auc
from services.inference.labels import labelled
from services.inference.preprocess import find_field, square


@dataclass
class Settings(Common):
    version: str = "0.3.0"
    gate: str = str(RUNS / "dr" / "quality.json")
    sensitivity: float = 0.92  # on the gradable part of val, where each tier's threshold is frozen
    specificity: float = 0.7  # a tier that needs more false alarms than this for that sensitivity is not shipped
    caught: float = 0.5  # share of the referable photographs below the threshold that the band of doubt has to catch
    retaken: float = 0.1  # and at most this share of the others may be taken again for it
    spared: float = 0.985  # specificity at which oedema is suspected, over eyes with a grade below 2 and no oedema


@dataclass
class Gradable:
    """The photographs of a split that the quality gate lets through."""

    pictures: list[Image.Image]
    positive: Bools
    oedema: Bools  # known to have it
    dry: Bools  # grade below 2 and known, or by its grade of 0 taken, to have none

    def squares(self, size: int) -> Pixels:
        """[n, size, size, 3]"""
        return np.stack([square(picture, size, find_field(picture)) for picture in self.pictures])


def gradable(split: str, gate: dict[str, Any]) -> Gradable:
    """Reads a split of `dr` through the gate."""
    pictures, rows = [], []
    for row in labelled(data.shared() / "dr", split):
        with Image.open(data.shared() / "dr" / "images" / row["image"]) as image:
            picture = image.convert("RGB")
        if quality.assess(picture, gate["parameters"]).gradable:
            pictures.append(picture)
            rows.append(row)
    grade = np.array([int(row["grade"]) for row in rows])
    dme = np.array([float(row["dme"]) if row["dme"] else np.nan for row in rows])
    positive = grade >= REFERABLE_GRADE
    return Gradable(pictures, positive, dme > 0, ~positive & ((dme == 0) | (grade == 0)))


def freeze(path: Path, val: Gradable, settings: Settings) -> dict[str, Any]:
    """A tier's entry in the manifest. Raises RuntimeError when it cannot clear the floor."""
    tier, name, compressed = described(named(settings.programme), path), path.stem, compression(path)
    logits = view_logits(path, val.squares(tier["size"]), tier["views"])
    temperature = temperature_of(logits[:, REFERABLE], val.positive)
    probability = sigmoid(logits[:, REFERABLE] / temperature)
    threshold = round(threshold_for(settings.sensitivity, probability, val.positive), 4)
    doubt = doubt_for(threshold, probability, val.positive, settings.caught, settings.retaken)
    swollen = sigmoid(logits[:, OEDEMA])
    oedema = round(float(np.quantile(swollen[val.dry], settings.spared)), 4)
    referred = probability >= threshold
    either = referred | (swollen >= oedema)
    specificity = float((~referred)[~val.positive].mean())
    if specificity < settings.specificity:
        raise RuntimeError(f"{name}: {specificity:.3f} specificity at {settings.sensitivity} sensitivity: not shipped")
    figures = {
        "val_auc": auc(val.positive, probability),
        "val_sensitivity": referred[val.positive].mean(),
        "val_specificity": specificity,
        "val_sensitivity_with_oedema": either[val.positive].mean(),
        "val_specificity_with_oedema": (~either)[~val.positive].mean(),
        "val_oedema_referred": either[val.oedema].mean(),
        "val_doubtful": ((probability >= doubt) & ~either).mean(),
        "float32_val_auc": compressed["float32"]["val_auc"],
    }
    return tier | {
        "output": REFERABLE,
        "temperature": temperature,
        "threshold": threshold,
        "doubt": doubt,
        "oedema": {"output": OEDEMA, "temperature": 1.0, "threshold": oedema},
        "metrics": {key: round(float(value), 4) for key, value in figures.items()}
        | {"float32_bytes": compressed["float32"]["bytes"]},
    }


def golden_pictures(size: int) -> dict[str, tuple[Image.Image, bool, bool]]:
    """File name to picture, gradable, referable."""
    found: dict[str, tuple[Image.Image, bool, bool]] = {}
    for seed in (1, 2):
        found[f"golden/clean-{seed}.jpg"] = (phantom.draw(seed, size), True, False)
        found[f"golden/lesions-{seed}.jpg"] = (phantom.draw(seed, size, lesions=True), True, True)
    found["golden/blurred.jpg"] = (phantom.draw(3, size).filter(ImageFilter.GaussianBlur(size / 40)), False, False)
    return found


def golden_cases(folder: Path, export: Path, tiers: dict[str, Any], gate: dict[str, Any], size: int) -> list[Any]:
    """Draw them, read them with every tier. Raises RuntimeError when one does not come out as drawn."""
    cases = []
    for name, (picture, gradable, referable) in golden_pictures(size).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name, quality=90)
        with Image.open(folder / name) as image:
            drawn = image.convert("RGB")
        verdict = quality.assess(drawn, gate["parameters"])
        if verdict.gradable != gradable:
            raise RuntimeError(f"{name}: {verdict}: not to be released")
        expected: dict[str, float] = {}
        for tier, entry in tiers.items() if gradable else ():
            logits = view_logits(export / f"{tier}.onnx", square(drawn, entry["size"])[None], entry["views"])[0]
            risk = float(sigmoid(logits[REFERABLE] / entry["temperature"]))
            if ((risk >= entry["threshold"]) or sigmoid(logits[OEDEMA]) >= entry["oedema"]["threshold"]) != referable:
                raise RuntimeError(
                    f"{name}: {tier} says {risk:.3f}, threshold {entry['threshold']}: not to be released"
                )
            expected[tier] = round(risk, 4)
        cases.append({"file": name, "gradable": gradable, "referable": referable, "probability": expected})
    return cases


def contents(settings: Settings) -> dict[str, Any]:
    """What the manifest says. Raises RuntimeError when no tier clears the floor or a drawn retina comes out wrong."""
    export, folder = exports(settings), Path(settings.models) / "dr"
    gate = json.loads(Path(settings.gate).read_text())
    val = gradable("val", gate)
    tiers: dict[str, Any] = {}
    for path in graphs(named(settings.programme), export):
        try:
            tiers[path.stem] = freeze(path, val, settings)
        except RuntimeError as refusal:
            print(refusal)
    if not tiers:
        raise RuntimeError(f"no graph in {export} clears the floor")
    return {
        "tiers": tiers,
        "quality": gate["parameters"],
        "quality_metrics": gate["metrics"],
        "golden": golden_cases(folder, export, tiers, gate, settings.golden_size),
        "tolerance": settings.tolerance,
    }
