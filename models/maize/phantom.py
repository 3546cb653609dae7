"""Draws a maize leaf, so that tests and golden cases need no photograph of a data set:
`python -m models.maize.phantom OUT.jpg --sign Common_Rust`.

The drawing is deterministic for a seed: a blade that fills the picture, its pale midrib and parallel veins, light from
one side, and when asked the signs of a disease along the veins: long tan blight, rust pustules, or narrow grey spots.
It is a picture for machines to agree on, not for anyone to learn from.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Colour = tuple[int, int, int]

OVERSAMPLE = 2  # drawn twice as large, then reduced: Pillow's shapes have no smooth edges
ROOM = 1.5  # and on a larger sheet, so that it can be turned
SIGNS = ("Blight", "Common_Rust", "Gray_Leaf_Spot")


def draw(seed: int, size: int = 400, sign: str | None = None) -> Image.Image:
    """A `size` × `size` RGB photograph of a drawn leaf, healthy without a `sign`. Raises ValueError for a sign that it
    cannot draw."""
    if sign is not None and sign not in SIGNS:
        raise ValueError(f"no drawing of {sign}; there are {', '.join(SIGNS)}")
    rng = np.random.default_rng(seed)
    side = round(size * OVERSAMPLE * ROOM)
    blade = _blade(rng, side)
    if sign is not None:
        blade = {"Blight": _blight, "Common_Rust": _rust, "Gray_Leaf_Spot": _spots}[sign](blade, rng, side)
    return _photograph(blade, rng, side, size)


def _blade(rng: np.random.Generator, side: int) -> Floats:
    """A green blade whose veins run down: float32 [side, side, 3]."""
    across = (np.arange(side, dtype=np.float32) / side - rng.uniform(0.4, 0.6))[None, :]
    bend = (rng.uniform(-0.08, 0.08) * (np.arange(side, dtype=np.float32) / side - 0.5) ** 2)[:, None]
    across = across + bend
    veins = np.sin(across * 2 * math.pi * rng.uniform(55, 75)) * 0.04 + np.sin(across * 2 * math.pi * 190) * 0.02
    relief = 0.09 * np.tanh(across * 9) + veins + 0.05 * _mottle(rng, side)
    blade = np.array([92, 140, 66], np.float32) * rng.uniform(0.9, 1.1) * (1 + relief)[..., None]
    rib = np.exp(-((across / 0.011) ** 2)) + 0.35 * np.exp(-((across / 0.024) ** 2))
    blade += (np.array([190, 214, 160], np.float32) - blade) * np.clip(rib, 0, 1)[..., None] * 0.85
    return np.asarray(blade, np.float32)


def _mottle(rng: np.random.Generator, side: int) -> Floats:
    """Smooth unevenness of unit strength [side, side]."""
    sheet = np.zeros((side, side), np.float32)
    for cells, strength in ((4, 0.8), (18, 0.4), (90, 0.3)):
        grid = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
        sheet += strength * np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC))
    return sheet


def _marked(
    blade: Floats, rng: np.random.Generator, side: int, marks: list[tuple[float, float, float, float]], colour: Colour,
    soft: float, share: float = 0.9,
) -> Floats:  # fmt: skip
    """Marks (x, y, half width, half length, as shares of the side) of one colour, their outline ragged."""
    mask = Image.new("L", (side, side))
    pen = ImageDraw.Draw(mask)
    for x, y, wide, long in marks:
        for _ in range(5):
            dx, dy = rng.normal(0, 0.25, 2) * (wide, long)
            w, h = rng.uniform(0.6, 1.0, 2) * (wide, long)
            pen.ellipse([side * v for v in (x + dx - w, y + dy - h, x + dx + w, y + dy + h)], fill=255)
    weight = np.asarray(mask.filter(ImageFilter.GaussianBlur(side * soft)), np.float32)[..., None] / 255 * share
    grain = (1 + 0.12 * _mottle(rng, side))[..., None]
    return np.asarray(blade + (np.array(colour, np.float32) * grain - blade) * weight, np.float32)


def _scatter(
    rng: np.random.Generator, count: int, wide: tuple[float, float], long: tuple[float, float]
) -> list[tuple[float, float, float, float]]:
    return [(*rng.uniform(0.12, 0.88, 2), rng.uniform(*wide), rng.uniform(*long)) for _ in range(count)]


def _blight(blade: Floats, rng: np.random.Generator, side: int) -> Floats:
    """Northern leaf blight: a few tan lesions, long as cigars, with a darker rim."""
    marks = _scatter(rng, 5, (0.02, 0.035), (0.1, 0.17))
    rims = [(x, y, w * 1.2, h * 1.06) for x, y, w, h in marks]
    blade = _marked(blade, rng, side, rims, (110, 92, 58), 0.004, 0.8)
    return _marked(blade, rng, side, marks, (186, 160, 122), 0.003)


def _rust(blade: Floats, rng: np.random.Generator, side: int) -> Floats:
    """Common rust: hundreds of small dark-brown pustules, each in a pale halo, on a dulled leaf."""
    blade = (blade + blade.mean(axis=2, keepdims=True)) / 2
    marks = _scatter(rng, 800, (0.003, 0.005), (0.003, 0.006))
    halos = [(x, y, w * 1.9, h * 1.7) for x, y, w, h in marks]
    blade = _marked(blade, rng, side, halos, (200, 190, 120), 0.002, 0.7)
    return _marked(blade, rng, side, marks, (100, 45, 25), 0.0008)


def _spots(blade: Floats, rng: np.random.Generator, side: int) -> Floats:
    """Grey leaf spot: many narrow blocks between the veins, tan turning grey."""
    marks = _scatter(rng, 90, (0.004, 0.008), (0.014, 0.04))
    rims = [(x, y, w * 1.5, h * 1.15) for x, y, w, h in marks]
    blade = _marked(blade, rng, side, rims, (140, 112, 60), 0.002, 0.7)
    return _marked(blade, rng, side, marks, (188, 164, 124), 0.0012)


def _photograph(blade: Floats, rng: np.random.Generator, side: int, size: int) -> Image.Image:
    """Turned, lit from one side, a little noise, in its final size."""
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    lit = blade * (1 + 0.14 * (axis[None, :] * math.cos(angle) + axis[:, None] * math.sin(angle)))[..., None]
    sheet = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    turned = sheet.rotate(float(rng.uniform(-40, 40)), Image.Resampling.BICUBIC)
    edge = round(side * (1 - 1 / ROOM) / 2)
    image = turned.crop((edge, edge, side - edge, side - edge)).resize((size, size), Image.Resampling.BOX)
    noisy = np.asarray(image, np.float32) + rng.normal(0, 2.0, (size, size, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def main(argv: list[str] | None = None) -> None:
    """Write one drawn leaf to a file."""
    parser = argparse.ArgumentParser(prog="python -m models.maize.phantom", description="Draw a maize leaf.")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=800)
    parser.add_argument("--sign", choices=SIGNS)
    asked = parser.parse_args(argv)
    draw(asked.seed, asked.size, asked.sign).save(asked.out, quality=92)


if __name__ == "__main__":
    main()
