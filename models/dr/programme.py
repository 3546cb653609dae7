"""Diabetic retinopathy in the lab: the field of view cut out, contrast filtered in the graph, five ordinal outputs."""

from __future__ import annotations

import numpy as np
from PIL import Image

from models.lab.head import Grades
from models.lab.net import Contrast
from models.lab.programme import Pixels, Programme
from models.lab.wear import carried, handheld, turned
from services.inference.preprocess import Field, find_field


def field(image: Image.Image, _place: float) -> Field:
    return find_field(image)


def augment(pixels: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """One random view. Geometry: any rotation, mirror, ±12 % scale, ±3 % aspect, ±3 % shift (the field is never found
    exactly). Light: ±25 % contrast, ±10 % per channel; a third as a handheld camera takes it. Carriage: half of them
    pass through a smaller copy or a JPEG."""
    pixels = turned(pixels, size, rng, edge=0)
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, size=3)
    pixels = np.clip(pixels * gain, 0, 255).astype(np.uint8)
    if rng.random() < 0.33:
        pixels = handheld(pixels, rng)
    return carried(pixels, rng)


PROGRAMME = Programme(
    name="dr",
    folder="dr",
    head=Grades(),
    front=Contrast,
    field=field,
    augment=augment,
    stages={
        "pretrain": {"folder": "dr_pretrain", "mix": 16, "sizes": "2x160", "side": 224, "freeze": 0},
        "tune": {},
    },
)
