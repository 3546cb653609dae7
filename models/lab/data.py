"""Photographs and labels for training: squares of the field of view, augmented as cameras and messengers do."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.lab.settings import RUNS
from services.inference.engine import FLIPS
from services.inference.preprocess import square

Pixels = NDArray[np.uint8]
cv2.setNumThreads(1)


def shared() -> Path:
    """Where the photographs lie: `JICHO_SHARED`, or `../shared` beside the repository."""
    return Path(os.environ.get("JICHO_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"


@dataclass
class Split:
    """`pixels` [n, side, side, 3] uint8; `grade` [n] ICDR 0-4; `dme` [n], NaN where unknown; `source`, `names` [n]."""

    pixels: Pixels
    grade: NDArray[np.int64]
    dme: NDArray[np.float32]
    source: list[str]
    names: list[str]

    def __len__(self) -> int:
        return len(self.grade)

    def some(self, share: float) -> Split:
        """Every n-th photograph, so that this share is left and each source keeps its part."""
        kept = np.unique(np.linspace(0, len(self) - 1, round(share * len(self))).round().astype(int))
        strings = ([self.source[at] for at in kept], [self.names[at] for at in kept])
        return Split(self.pixels[kept], self.grade[kept], self.dme[kept], *strings)

    @property
    def targets(self) -> NDArray[np.float32]:
        """[n, 5]: P(grade >= 1..4) and macular oedema, NaN where unknown."""
        ordinal = (self.grade[:, None] >= np.arange(1, 5)).astype(np.float32)
        oedema = (self.dme > 0).astype(np.float32) + 0 * self.dme
        return np.concatenate([ordinal, oedema[:, None]], axis=1)


def load(folder: Path, split: str, side: int, drop_rejects: bool = False, crop: bool = True) -> Split:
    """One split of a folder with `labels.csv`. Squares are cached under runs/cache. `drop_rejects` leaves out what EyeQ
    calls ungradable: a label that nobody could have read off the picture teaches nothing."""
    with (folder / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    if drop_rejects:
        rows = [row for row in rows if not row.get("eyeq") or float(row["eyeq"]) < 2]
    names = [row["image"] for row in rows]
    return Split(
        pixels=_squares(folder, split, names, side, crop),
        grade=np.array([int(row["grade"]) for row in rows]),
        dme=np.array([float(row["dme"]) if row.get("dme") else np.nan for row in rows], dtype=np.float32),
        source=[row.get("source", "") for row in rows],
        names=names,
    )


def _squares(folder: Path, split: str, names: list[str], side: int, crop: bool) -> Pixels:
    cache = RUNS / "cache" / f"{folder.name}-{split}-{len(names)}-{side}.npy"
    if cache.exists():
        return np.asarray(np.load(cache), dtype=np.uint8)
    pixels = np.empty((len(names), side, side, 3), dtype=np.uint8)
    for at, name in enumerate(names):
        with Image.open(folder / "images" / name) as image:
            pixels[at] = square(image, side) if crop else np.asarray(image.convert("RGB").resize((side, side)))
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, pixels)
    return pixels


def batches(
    split: Split, size: int, batch: int, rng: np.random.Generator, photometric: bool = True, blend: float = 0.0
) -> Iterator[tuple[Pixels, NDArray[np.float32]]]:
    """One epoch of augmented batches in random order: uint8 [batch, size, size, 3] and targets [batch, 5]."""
    order, targets = rng.permutation(len(split)), split.targets
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        pixels = np.stack([augment(split.pixels[i], size, rng, photometric) for i in chosen])
        yield blended(pixels, targets[chosen], rng, blend) if blend else (pixels, targets[chosen])


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


def augment(pixels: Pixels, size: int, rng: np.random.Generator, photometric: bool = True) -> Pixels:
    """One random view. Geometry: any rotation, mirror, ±12 % scale, ±3 % aspect, ±3 % shift (the field is never found
    exactly). Light: ±25 % contrast, ±10 % per channel; a third as a handheld camera takes it. Carriage: half of them
    pass through a smaller copy or a JPEG."""
    pixels = _turn(pixels, size, rng, edge=0 if photometric else 128)
    if not photometric:
        return pixels
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, size=3)
    pixels = np.clip(pixels * gain, 0, 255).astype(np.uint8)
    if rng.random() < 0.33:
        pixels = handheld(pixels, rng)
    if rng.random() < 0.35:
        small = int(size * rng.uniform(0.45, 0.95))
        pixels = cv2.resize(cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.5:
        quality = int(rng.uniform(30, 95))
        _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return pixels


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


def handheld(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """As through a lens held by hand: light from one side, a little out of focus or shaken, sensor noise."""
    size = pixels.shape[0]
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.4)
    light = 1 - depth * (0.5 + 0.5 * (axis[None, :] * np.cos(angle) + axis[:, None] * np.sin(angle)))
    shaded = pixels * light[..., None]
    if rng.random() < 0.5:
        shaded = cv2.GaussianBlur(shaded, (0, 0), size / 256 * rng.uniform(0.4, 1.1))
    if rng.random() < 0.5:
        shaded = shaded + rng.normal(0, rng.uniform(0.5, 2.5), shaded.shape).astype(np.float32) * (shaded > 8)
    return np.clip(shaded, 0, 255).astype(np.uint8)


def _turn(pixels: Pixels, size: int, rng: np.random.Generator, edge: int) -> Pixels:
    side = pixels.shape[0]
    angle = rng.uniform(0, 2 * np.pi)
    scale = size / side * rng.uniform(0.88, 1.12)
    stretch = np.array([rng.choice([-1.0, 1.0]) * rng.uniform(0.97, 1.03), 1.0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = scale * np.array([[cos, -sin], [sin, cos]]) * stretch
    centre = size / 2 + rng.uniform(-0.03, 0.03, size=2) * size
    shift = centre - turn @ np.array([side / 2, side / 2])
    return cv2.warpAffine(
        pixels, np.column_stack([turn, shift]), (size, size), flags=cv2.INTER_LINEAR, borderValue=(edge, edge, edge)
    )
