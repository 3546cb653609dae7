"""A release of classes: temperature, and the confidence below which nothing is said, from val.

Each source counts the same, however many photographs it has. The limit is the lowest that refuses as many of val's
strangers as it should, or, where that would leave too many photographs unanswered, the highest that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from models.lab import data
from models.lab.head import Classes
from models.lab.limits import Floats, softmax, temperature_of_classes
from models.lab.programme import Programme, named
from models.lab.tiers import Common, compression, described, exports, graphs, view_logits
from services.inference.preprocess import square


@dataclass
class Settings(Common):
    programme: str = "maize"
    strangers: float = 0.9  # share of each kind of val's strangers that should be refused
    answered: float = 0.85  # share of val's photographs, on average over sources, that has to be answered
    floor: float = 0.5  # accuracy on val's hardest source without which a tier is not shipped


def limit_for(refused: float, answered: float, known: list[Floats], strange: list[Floats]) -> float:
    """The lowest confidence, in hundredths, below which this share of each kind of stranger lies, but none that leaves
    less than `answered` of the photographs, on average over their sources."""
    limits = [hundredth / 100 for hundredth in range(30, 100)]
    allowed = [limit for limit in limits if np.mean([(found >= limit).mean() for found in known]) >= answered]
    wanted = (limit for limit in allowed if min((found < limit).mean() for found in strange) >= refused)
    return next(wanted, allowed[-1] if allowed else limits[0])


def freeze(path: Path, programme: Programme, settings: Settings) -> dict[str, Any]:
    """A tier's entry in the manifest. Raises RuntimeError when it cannot clear the floor."""
    tier, compressed = described(programme, path), compression(path)
    val = data.load(programme, data.folder_of(programme, ""), "val", tier["size"])
    strange = data.strange(programme, "val", tier["size"])
    logits, classes = view_logits(path, val.pixels, tier["views"]), val.targets.argmax(axis=1)
    sources = np.array(val.source)
    groups = {source: sources == source for source in sorted(set(val.source))}
    temperature = temperature_of_classes(logits, classes, np.sum([of / of.sum() for of in groups.values()], axis=0))
    probability = softmax(logits / temperature)
    confidence, correct = probability.max(axis=1), (probability.argmax(axis=1) == classes).astype(float)
    off = softmax(view_logits(path, strange.pixels, tier["views"]) / temperature).max(axis=1)
    kinds = np.array(strange.source)
    limit = limit_for(
        settings.strangers, settings.answered, [confidence[of] for of in groups.values()],
        [off[kinds == kind] for kind in np.unique(kinds)],
    )  # fmt: skip
    said = confidence >= limit
    hardest = min(float(correct[of].mean()) for of in groups.values())
    if hardest < settings.floor:
        raise RuntimeError(f"{hardest:.3f} accuracy on val's hardest source: not shipped")
    figures = {
        "val_accuracy": correct.mean(),
        "val_accuracy_hardest_source": hardest,
        "val_answered": said.mean(),
        "val_accuracy_answered": correct[said].mean(),
        "val_strangers_refused": min((off[kinds == kind] < limit).mean() for kind in np.unique(kinds)),
        "float32_val_accuracy": compressed["float32"]["val_accuracy"],
    }
    return tier | {
        "temperature": temperature,
        "abstain_below": limit,
        "metrics": {key: round(float(value), 4) for key, value in figures.items()}
        | {"float32_bytes": compressed["float32"]["bytes"]},
    }


def golden_cases(
    programme: Programme, folder: Path, export: Path, tiers: dict[str, Any], size: int, tolerance: float
) -> list[Any]:
    """Draw them, read them with every tier. A tier may be too unsure of a drawn sign to name it. Raises RuntimeError
    when it names another, or none for a healthy leaf, or is so close to its limit that another processor may differ."""
    head, cases = cast(Classes, programme.head), []
    for name, (picture, drawn) in programme.golden(size).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name, quality=90)
        with Image.open(folder / name) as image:
            read = image.convert("RGB")
        expected: dict[str, float] = {}
        classes: dict[str, str | None] = {}
        for tier, entry in tiers.items():
            pixels = square(read, entry["size"], programme.field(read, 0.5))
            logits = view_logits(export / entry["file"], pixels[None], entry["views"])[0]
            probability = softmax(logits / entry["temperature"])
            top = float(probability.max())
            said = head.names[int(probability.argmax())] if top >= entry["abstain_below"] else None
            close = abs(top - entry["abstain_below"]) < tolerance
            if close or (said != drawn and (said is not None or drawn == head.healthy)):
                raise RuntimeError(
                    f"{name}: {tier} says {said} ({top:.3f}, limit {entry['abstain_below']}), drawn was {drawn}: "
                    "not to be released"
                )
            expected[tier], classes[tier] = round(top, 4), said
        cases.append({"file": name, "class": classes, "probability": expected})
    return cases


def contents(settings: Settings) -> dict[str, Any]:
    """What the manifest says. Raises RuntimeError when no tier clears the floor or a drawing comes out wrong."""
    programme, export = named(settings.programme), exports(settings)
    tiers: dict[str, Any] = {}
    for path in graphs(programme, export):
        try:
            tiers[path.stem] = freeze(path, programme, settings)
        except RuntimeError as refusal:
            print(f"{path.stem}: {refusal}")
    if not tiers:
        raise RuntimeError(f"no graph in {export} clears the floor")
    folder = Path(settings.models) / programme.name
    return {
        "kind": "classes",
        "classes": list(cast(Classes, programme.head).names),
        "healthy": cast(Classes, programme.head).healthy,
        "crop": "centre",
        "tiers": tiers,
        "golden": golden_cases(programme, folder, export, tiers, settings.golden_size, settings.tolerance),
        "tolerance": settings.tolerance,
    }
