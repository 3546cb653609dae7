"""A classifier's figures, as the product reads: sanitised bytes, the middle square, the graph, a class or none.

Every photograph is sent as the JPEG of what it was before the data set squeezed it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.lab import data
from models.lab.limits import Bools, Floats, softmax
from models.lab.programme import Programme
from services.inference.engine import FLIPS
from services.inference.preprocess import square
from services.inference.session import open_session, verified_bytes
from services.screening.sanitise import sanitise

QUALITY = 95  # of the JPEG that a photograph is sent as
RESAMPLES = 1000


class Reader:
    """One tier of a programme of classes, its file verified."""

    def __init__(self, models: Path, programme: Programme, tier: str) -> None:
        folder = models / programme.name
        self.programme = programme
        self.tier: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["tiers"][tier]
        self.session = open_session(verified_bytes(folder / self.tier["file"], self.tier["sha256"]))

    def read(self, image: Image.Image) -> Floats:
        """The calibrated probability of each class [k]."""
        pixels = square(image, self.tier["size"], self.programme.field(image, 0.5))
        views = [np.ascontiguousarray(pixels[flip][None]) for flip in FLIPS[: self.tier["views"]]]
        logits = np.mean([self.session.run(["logits"], {"pixels": view})[0][0] for view in views], axis=0)
        return softmax(logits / self.tier["temperature"])


@dataclass
class Said:
    """What was said of n photographs of known class."""

    classes: np.ndarray[Any, np.dtype[np.int64]]
    probability: Floats  # [n, k]
    source: list[str]

    def of(self, source: str) -> Said:
        chosen = np.array([one == source for one in self.source])
        return Said(self.classes[chosen], self.probability[chosen], [source] * int(chosen.sum()))


def sent(image: Image.Image) -> Image.Image:
    """The picture as it is after its way through a messenger and the gate."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return sanitise(file.getvalue()).image


def read_split(reader: Reader, split: str) -> Said:
    """Every photograph of a split."""
    programme = reader.programme
    folder = data.folder_of(programme, "")
    rows = data.labelled(folder, split)
    probability = [reader.read(sent(programme.picture(folder / "images" / row["image"], row))) for row in rows]
    classes = np.array([programme.head.target(row) for row in rows]).argmax(axis=1)
    return Said(classes, np.array(probability), [programme.source(row) for row in rows])


def interval(right: Bools, seed: int = 1) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a share, over photographs."""
    rng = np.random.default_rng(seed)
    shares = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)


def figures(said: Said, names: Sequence[str], healthy: str, limit: float) -> dict[str, Any]:
    """The figures of one group; None where a figure needs photographs that there are none of. Where nothing else is
    said they are over all, whether or not the product would have answered."""
    found, confidence = said.probability.argmax(axis=1), said.probability.max(axis=1)
    right, answered = found == said.classes, confidence >= limit
    well, named_well = said.classes == names.index(healthy), found == names.index(healthy)
    low, high = interval(right)
    return {
        "n": len(right),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_low": round(low, 4),
        "accuracy_high": round(high, 4),
        "answered": share(answered, np.ones_like(answered)),
        "accuracy_answered": share(right, answered),
        "recall": {name: share(right, said.classes == at) for at, name in enumerate(names)},
        "counts": {name: int((said.classes == at).sum()) for at, name in enumerate(names)},
        "confusion": [[int(((said.classes == a) & (found == b)).sum()) for b in range(len(names))]
                      for a in range(len(names))],
        "sick_called_healthy": share(answered & named_well, ~well),
        "healthy_called_sick": share(answered & ~named_well, well),
        "ece": round(calibration(right, confidence), 4),
    }  # fmt: skip


def share(flags: Bools, among: Bools) -> float | None:
    return round(float(flags[among].mean()), 4) if among.any() else None


def calibration(right: Bools, confidence: Floats, bins: int = 10) -> float:
    """Expected calibration error of the confidence in the likeliest class."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(right[bin_of == b].mean() - confidence[bin_of == b].mean()) * (bin_of == b).mean()
            for b in np.unique(bin_of)]  # fmt: skip
    return float(np.sum(gaps))


def strangers(reader: Reader, split: str, limit: float) -> dict[str, dict[str, float | int]]:
    """Of each kind of picture that shows something else: how many there were, and the share that was named all the
    same."""
    known: dict[str, list[bool]] = {}
    for kind, image in reader.programme.strangers(split) if reader.programme.strangers else ():
        known.setdefault(kind, []).append(bool(reader.read(sent(image)).max() >= limit))
    return {kind: {"n": len(named), "accepted": round(float(np.mean(named)), 4)} for kind, named in known.items()}


def measure(models: Path, programme: Programme, tier: str, split: str, _carry: bool) -> tuple[str, dict[str, Any]]:
    """The graph's SHA-256 and the tier's figures."""
    reader = Reader(models, programme, tier)
    manifest = json.loads((models / programme.name / "manifest.json").read_text())
    said, limit = read_split(reader, split), reader.tier["abstain_below"]
    names, healthy = manifest["classes"], manifest["healthy"]
    groups = {source: figures(said.of(source), names, healthy, limit) for source in sorted(set(said.source))}
    found = figures(said, names, healthy, limit) | {"limit": limit, "by_source": groups}
    found["accuracy_by_source"] = {source: group["accuracy"] for source, group in groups.items()}
    found["strangers"] = strangers(reader, split, limit)
    return reader.tier["sha256"], found
