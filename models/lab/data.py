"""Photographs and labels for training: the squares that the product would cut, in augmented batches."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.lab.programme import CENTRE, Pixels, Programme, Row, opened
from models.lab.settings import RUNS
from services.inference.engine import FLIPS
from services.inference.preprocess import square

Augment = Callable[[Pixels, int, np.random.Generator], Pixels]
cv2.setNumThreads(1)


def shared() -> Path:
    """Where the photographs lie: `JICHO_SHARED`, or `../shared` beside the repository."""
    return Path(os.environ.get("JICHO_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"


@dataclass
class Split:
    """`pixels` [n, side, side, 3] uint8; `targets` [n, logits] as the head has them; `source`, `names` [n]."""

    pixels: Pixels
    targets: NDArray[np.float32]
    source: list[str]
    names: list[str]

    def __len__(self) -> int:
        return len(self.targets)

    def some(self, share: float) -> Split:
        """Every n-th photograph, so that this share is left and each source keeps its part."""
        kept = np.unique(np.linspace(0, len(self) - 1, round(share * len(self))).round().astype(int))
        strings = ([self.source[at] for at in kept], [self.names[at] for at in kept])
        return Split(self.pixels[kept], self.targets[kept], *strings)


def folder_of(programme: Programme, folder: str) -> Path:
    """The folder of photographs of that name or path; the programme's own for an empty one."""
    return Path(folder) if "/" in folder else shared() / (folder or programme.folder)


def labelled(folder: Path, split: str) -> list[Row]:
    """The rows of one split of `labels.csv`."""
    with (folder / "labels.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def load(
    programme: Programme, folder: Path, split: str, side: int, drop_rejects: bool = False, crop: bool = True
) -> Split:
    """One split of a folder with `labels.csv`. Squares are cached under runs/cache. `drop_rejects` leaves out what EyeQ
    calls ungradable: a label that nobody could have read off the picture teaches nothing. Without `crop` the whole
    picture is squeezed to a square."""
    rows = labelled(folder, split)
    if drop_rejects:
        rows = [row for row in rows if not row.get("eyeq") or float(row["eyeq"]) < 2]
    cuts = [(row, place) for row in rows for place in (programme.windows(row) if split == "train" else CENTRE)]
    cache = RUNS / "cache" / f"{folder.name}-{split}-{len(cuts)}-{side}.npy"
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, _squares(programme, folder, cuts, side, crop))
    return Split(
        pixels=np.load(cache),
        targets=np.array([programme.head.target(row) for row, _ in cuts], dtype=np.float32),
        source=[programme.source(row) for row, _ in cuts],
        names=[row["image"] for row, _ in cuts],
    )


def _squares(programme: Programme, folder: Path, cuts: list[tuple[Row, float]], side: int, crop: bool) -> Pixels:
    pixels = np.empty((len(cuts), side, side, 3), dtype=np.uint8)
    for at, (row, place) in enumerate(cuts):
        path = folder / "images" / row["image"]
        if crop:
            image = programme.picture(path, row)
            pixels[at] = square(image, side, programme.field(image, place))
        else:
            pixels[at] = np.asarray(opened(path, row).resize((side, side)))
    return pixels


def strange(programme: Programme, split: str, side: int) -> Split:
    """The programme's strangers of a split, with the targets of what is unknown; `source` is their kind."""
    known = list(programme.strangers(split)) if programme.strangers else []
    pixels = [square(image, side, programme.field(image, 0.5)) for _, image in known]
    kinds = [kind for kind, _ in known]
    targets = np.full((len(known), programme.head.logits), 1 / programme.head.logits, dtype=np.float32)
    return Split(np.stack(pixels) if pixels else np.empty((0, side, side, 3), np.uint8), targets, kinds, kinds)


def joined(one: Split, other: Split) -> Split:
    return Split(
        np.concatenate([one.pixels, other.pixels]), np.concatenate([one.targets, other.targets]),
        one.source + other.source, one.names + other.names,
    )  # fmt: skip


def batches(
    split: Split, size: int, batch: int, rng: np.random.Generator, augment: Augment, blend: float = 0.0
) -> Iterator[tuple[Pixels, NDArray[np.float32]]]:
    """One epoch of augmented batches in random order: uint8 [batch, size, size, 3] and targets [batch, logits]."""
    order = rng.permutation(len(split))
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        pixels, targets = np.stack([augment(split.pixels[i], size, rng) for i in chosen]), split.targets[chosen]
        yield blended(pixels, targets, rng, blend) if blend else (pixels, targets)


def blended(
    pixels: Pixels, targets: NDArray[np.float32], rng: np.random.Generator, share: float
) -> tuple[Pixels, NDArray[np.float32]]:
    """A batch in which this share of the pictures has the next one laid over it, and their targets in the same
    measure: pictures that no teacher has learnt by heart. What is unknown of one of the two is unknown of both."""
    over = np.where(rng.random(len(pixels)) < share, rng.uniform(0, 1, len(pixels)), 0).astype(np.float32)
    laid = over[:, None, None, None]
    mixed = (1 - laid) * pixels + laid * np.roll(pixels, 1, axis=0)
    other = np.roll(targets, 1, axis=0)
    return mixed.round().astype(np.uint8), np.where(
        over[:, None] > 0, (1 - over[:, None]) * targets + over[:, None] * other, targets
    )


def resized(pixels: Pixels, size: int) -> Pixels:
    """A square in another size."""
    if pixels.shape[0] == size:
        return pixels
    shrinks = size < pixels.shape[0]
    return np.asarray(
        cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def mirrored(pixels: Pixels, views: int) -> Iterator[Pixels]:
    """The squares [n, side, side, 3] in the first `views` of the engine's mirrorings."""
    for flip in FLIPS[:views]:
        yield np.ascontiguousarray(pixels[(slice(None), *flip)])
