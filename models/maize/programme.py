"""Maize-leaf disease in the lab: the middle square of a picture, no filter, one of four classes.

The pictures are those of PlantVillage, taken in laboratories, and of PlantDoc, collected from the field. Those of the
laboratory have one background a class: common rust lies on black. The network must not learn from that, so black is
replaced, and pictures are zoomed into until the background is out of sight.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from models.dr.phantom import draw as draw_retina
from models.lab.clutter import clutter
from models.lab.head import Classes
from models.lab.net import Plain
from models.lab.programme import CENTRE, Pixels, Programme, Row, opened
from models.lab.wear import carried, handheld, turned
from models.maize import phantom
from models.maize.ground import ground
from models.maize.labels import FIELD, source, unsqueezed
from models.maize.strangers import strangers
from services.inference.preprocess import Field

CLASSES = ("Blight", "Common_Rust", "Gray_Leaf_Spot", "Healthy")
HEALTHY = "Healthy"
SEEDS = {"Blight": 3, "Common_Rust": 1, "Gray_Leaf_Spot": 1, "Healthy": 2}  # of the golden cases


def picture(path: Path, row: Row) -> Image.Image:
    """A picture as it was before the data set squeezed it to a square, its shorter side as it lies in the folder."""
    return unsqueezed(opened(path, row), row)


def field(image: Image.Image, place: float) -> Field:
    """The largest square: the middle one for a `place` of 0.5, as the product cuts it."""
    side = min(image.size)
    left, top = (image.width - side) * place, (image.height - side) * place
    return Field(left, top, left + side, top + side, found=False)


def windows(row: Row) -> tuple[float, ...]:
    """Pictures from the field are few, and wide: each is learnt from three squares."""
    return (0.0, 0.5, 1.0) if source(row) == FIELD else CENTRE


def augment(pixels: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """One random view: on another ground where there is none; any rotation, mirror, up to 1.9 times as near, ±15 %
    aspect, ±12 % shift; light, colour and contrast of another day; half of them as a telephone takes them; carried."""
    if rng.random() < 0.8:
        pixels = grounded(pixels, rng)
    pixels = turned(pixels, size, rng, edge=None, scale=(0.9, 1.9), stretch=0.15, shift=0.12)
    pixels = lit(pixels, rng)
    if rng.random() < 0.5:
        pixels = handheld(pixels, rng)
    return carried(pixels, rng, smallest=0.3)


def grounded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What is black at the edge of a picture was cut away by its publisher: there is drawn soil, leaves or paper."""
    black = (pixels.max(axis=2) < 16).astype(np.uint8)
    count, marks = cv2.connectedComponents(black)
    rim = np.unique(np.concatenate([marks[0], marks[-1], marks[:, 0], marks[:, -1]]))
    outside = np.isin(marks, rim[rim > 0]) if count > 1 else np.zeros_like(black, dtype=bool)
    if outside.mean() < 0.02:
        return pixels
    soft = cv2.GaussianBlur(outside.astype(np.float32), (0, 0), 1.0)[..., None]
    mixed = pixels * (1 - soft) + ground(pixels.shape[0], rng) * soft
    return np.asarray(mixed, np.uint8)


def lit(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Brighter or darker by half, ±15 % per channel, duller or more vivid, gamma from 0.7 to 1.4."""
    image = pixels.astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * rng.uniform(0.6, 1.3)
    image = image * rng.uniform(0.65, 1.35) * rng.uniform(0.85, 1.15, size=3)
    return np.asarray(255 * (np.clip(image, 0, 255) / 255) ** rng.uniform(0.7, 1.4), np.uint8)


def golden(size: int) -> dict[str, tuple[Image.Image, str | None]]:
    """Drawn leaves of each class, and two pictures of none. Seeds are those whose signs the networks are surest of."""
    found: dict[str, tuple[Image.Image, str | None]] = {}
    for name in CLASSES:
        leaf = phantom.draw(SEEDS[name], size, None if name == HEALTHY else name)
        found[f"golden/{name.lower().replace('_', '-')}.jpg"] = (leaf, name)
    found["golden/eye.jpg"] = (draw_retina(1, size), None)
    found["golden/clutter.jpg"] = (clutter(np.random.default_rng(1), size), None)
    return found


PROGRAMME = Programme(
    name="maize",
    folder="maize",
    head=Classes(CLASSES, healthy=HEALTHY),
    front=Plain,
    field=field,
    augment=augment,
    picture=picture,
    source=source,
    windows=windows,
    strangers=strangers,
    golden=golden,
    views={"full": 1, "medium": 1, "light": 1},  # more of them named no more leaves of val rightly
    settings={"mix": 0, "side": 224, "sizes": "6x160", "freeze": 3},
)
