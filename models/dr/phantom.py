"""Draws a retina, so that demonstrations and tests need no clinical photograph: `python -m models.dr.phantom OUT.jpg`.

The drawing is deterministic for a seed. It shows what a fundus camera does: a lit disc on black, choroidal mottle, an
optic disc with a cup, a macula on its temporal side, arcades of branching vessels, a vignette, and when asked the
lesions of diabetic retinopathy. It is a picture for machines to agree on, not for anyone to learn from.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Point = tuple[float, float]

OVERSAMPLE = 2  # drawn twice as large, then reduced: Pillow's lines have no smooth edges


def draw(seed: int, size: int = 800, lesions: bool = False) -> Image.Image:
    """A `size` × `size` RGB photograph of a drawn retina."""
    rng = np.random.default_rng(seed)
    side = size * OVERSAMPLE
    eye = 1 if rng.random() < 0.5 else -1  # the disc lies right of the macula in a right eye
    centre = side / 2
    disc = (centre + eye * side * rng.uniform(0.22, 0.27), centre + side * rng.uniform(-0.03, 0.03))
    macula = (disc[0] - eye * side * 0.29, disc[1] + side * 0.03)
    ground = _ground(rng, side)
    _spot(ground, macula, side * 0.085, (-44, -30, -10))
    _spot(ground, disc, side * 0.085, (26, 26, 10))
    _disc(ground, disc, side * 0.052)
    ground = _vessels(ground, rng, disc, macula, eye, side)
    if lesions:
        ground = _lesions(ground, np.random.default_rng(seed + 1_000_003), disc, macula, side)
    return _photograph(ground, rng, side, size)


def _ground(rng: np.random.Generator, side: int) -> Floats:
    """The red-orange background with soft choroidal mottle: float32 [side, side, 3]."""
    tint = np.array([178, 84, 38]) * rng.uniform(0.92, 1.08) + rng.uniform(-6, 6, 3)
    mottle = np.zeros((side, side), dtype=np.float32)
    for cells, strength in ((5, 7.0), (14, 3.0), (50, 1.6)):
        grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        mottle += strength * np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC))
    ground = mottle[:, :, None] * np.array([1.0, 0.75, 0.4], dtype=np.float32)
    return np.asarray(ground + tint.astype(np.float32), dtype=np.float32)


def _spot(ground: Floats, at: Point, radius: float, change: tuple[float, float, float]) -> None:
    """Add a soft round change of colour."""
    side = ground.shape[0]
    axis = np.arange(side, dtype=np.float32)
    across = np.exp(-((axis - at[0]) ** 2) / (2 * (radius * 0.6) ** 2))
    down = np.exp(-((axis - at[1]) ** 2) / (2 * (radius * 0.6) ** 2))
    for channel, amount in enumerate(change):
        ground[:, :, channel] += amount * down[:, None] * across[None, :]


def _disc(ground: Floats, at: Point, radius: float) -> None:
    """The optic disc, yellowish with a paler cup, its rim slightly blurred."""
    side = ground.shape[0]
    for scale, colour, share in ((1.0, (236, 178, 108), 0.85), (0.5, (248, 214, 158), 0.7)):
        mask = Image.new("L", (side, side))
        reach = radius * scale
        ImageDraw.Draw(mask).ellipse(
            (at[0] - reach * 0.94, at[1] - reach, at[0] + reach * 0.94, at[1] + reach), fill=255
        )
        weight = _soften(mask, radius * 0.1) * share
        ground += (np.array(colour, dtype=np.float32) - ground) * weight[:, :, None]


def _vessels(ground: Floats, rng: np.random.Generator, disc: Point, macula: Point, eye: int, side: int) -> Floats:
    """Four arcades, each an artery beside a broader vein, branching as they go. They darken green and blue most."""
    veins, arteries = Image.new("L", (side, side)), Image.new("L", (side, side))
    for up in (-1, 1):
        for outward, bend in ((-eye, 1.0), (eye, 0.55)):
            start = (math.pi / 2) * up + outward * -0.25
            for canvas, width, offset in ((veins, 0.0105, 0.0), (arteries, 0.0075, 0.16)):
                turn = up * outward * (0.030 if outward == -eye else 0.012) * bend * -1
                _branch(ImageDraw.Draw(canvas), rng, disc, start + offset * up, turn, side * width, side, macula, 0)
    for angle in (0.0, 0.25, -0.25):  # small vessels towards the macula and the nose
        toward = math.pi if eye > 0 else 0.0
        _branch(ImageDraw.Draw(arteries), rng, disc, toward + angle + 0.35 * (1 if angle >= 0 else -1), 0.0,
                side * 0.0032, side, macula, 2)  # fmt: skip
        _branch(ImageDraw.Draw(veins), rng, disc, toward + math.pi + angle * 2, 0.0, side * 0.004, side, macula, 1)
    for canvas, depth in ((veins, (0.34, 0.50, 0.42)), (arteries, (0.20, 0.36, 0.34))):
        weight = _soften(canvas, side * 0.0011)[:, :, None]
        ground = ground * (1 - weight * np.array(depth, dtype=np.float32))
    return np.asarray(ground, dtype=np.float32)


def _branch(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, at: Point, heading: float, turn: float, width: float,
    side: int, macula: Point, depth: int,
) -> None:  # fmt: skip
    """Walk one vessel outwards, tapering, steering round the macula, giving off thinner branches."""
    step = side * 0.012
    x, y = at
    since = 0
    wander = 0.0
    for _ in range(70):
        wander = 0.8 * wander + rng.normal(0, 0.022)
        heading += turn + wander
        near = math.hypot(x - macula[0], y - macula[1])
        if near < side * 0.11:
            if depth >= 2 and near < side * 0.05:
                return
            away = math.atan2(y - macula[1], x - macula[0])
            heading += 0.22 * math.sin(away - heading)
        ahead = (x + step * math.cos(heading), y + step * math.sin(heading))
        pen.line((x, y, *ahead), fill=255, width=max(1, round(width)))
        x, y = ahead
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
        width *= 0.985
        since += 1
        if width < side * 0.0011 or not (0 < x < side and 0 < y < side):
            return
        if depth < 4 and since > 5 and rng.random() < 0.09:
            fork = rng.choice([-1.0, 1.0]) * rng.uniform(0.45, 0.95)
            _branch(
                pen, rng, (x, y), heading + fork, -turn * 0.5, width * rng.uniform(0.5, 0.72), side, macula, depth + 1
            )
            heading -= fork * 0.15
            since = 0


def _lesions(ground: Floats, rng: np.random.Generator, disc: Point, macula: Point, side: int) -> Floats:
    """Severe non-proliferative retinopathy: microaneurysms, blot haemorrhages, hard exudates, cotton wool spots."""

    def scatter(count: int, low: float, high: float, around: Point, reach: float) -> list[tuple[float, float, float]]:
        spots: list[tuple[float, float, float]] = []
        while len(spots) < count:
            angle, far = rng.uniform(0, 2 * math.pi), reach * math.sqrt(rng.uniform(0.02, 1))
            x, y = around[0] + far * math.cos(angle), around[1] + far * math.sin(angle)
            inside = math.hypot(x - side / 2, y - side / 2) < side * 0.42
            if inside and math.hypot(x - disc[0], y - disc[1]) > side * 0.09:
                spots.append((x, y, side * rng.uniform(low, high)))
        return spots

    def blend(spots: list[tuple[float, float, float]], colour: tuple[int, int, int], share: float, blur: float) -> None:
        nonlocal ground
        mask = Image.new("L", (side, side))
        pen = ImageDraw.Draw(mask)
        for x, y, radius in spots:
            for _ in range(4):  # a few overlapping discs make an irregular blot
                dx, dy = rng.normal(0, radius * 0.35, 2)
                r = radius * rng.uniform(0.6, 1.0)
                pen.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=255)
        weight = (_soften(mask, side * blur) * share)[:, :, None]
        ground = ground + (np.array(colour, dtype=np.float32) - ground) * weight

    middle = (side / 2, side / 2)
    blend(scatter(1, 0.013, 0.022, middle, side * 0.34), (228, 196, 140), 0.3, 0.006)
    blend(scatter(80, 0.0018, 0.0034, middle, side * 0.40), (104, 18, 12), 0.85, 0.0010)
    blend(scatter(40, 0.004, 0.009, middle, side * 0.40), (92, 16, 10), 0.9, 0.0025)
    for _ in range(6):
        x, y, _ = scatter(1, 0.001, 0.001, macula, side * 0.2)[0]
        blend(scatter(16, 0.002, 0.0045, (x, y), side * 0.04), (244, 212, 124), 0.95, 0.0012)
    return np.asarray(ground, dtype=np.float32)


def _photograph(ground: Floats, rng: np.random.Generator, side: int, size: int) -> Image.Image:
    """The field stop, the vignette, a little sensor noise, and reduction to the final size."""
    axis = (np.arange(side, dtype=np.float32) - side / 2) / side
    radius = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
    shifted = np.sqrt((axis[:, None] - 0.06) ** 2 + (axis[None, :] + 0.05) ** 2)
    lit = ground * (1.08 - 1.9 * shifted**2)[:, :, None]
    lit *= np.clip((0.485 - radius) / 0.004, 0, 1)[:, :, None]
    image = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)).resize((size, size), Image.Resampling.BOX)
    soft = image.filter(ImageFilter.GaussianBlur(size * 0.0016))  # no eye's optics are as sharp as a pen
    noisy = np.asarray(soft, dtype=np.float32)
    noise = rng.normal(0, 1.6, noisy.shape) * (noisy.max(axis=2, keepdims=True) > 12)
    return Image.fromarray(np.clip(noisy + noise, 0, 255).astype(np.uint8))


def _soften(mask: Image.Image, blur: float) -> Floats:
    """A mask as weights from 0 to 1 with soft edges."""
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32) / np.float32(255)


def main(argv: list[str] | None = None) -> None:
    """Write one drawn retina to a file."""
    parser = argparse.ArgumentParser(prog="python -m models.dr.phantom", description="Draw a retina.")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=800)
    parser.add_argument("--lesions", action="store_true")
    asked = parser.parse_args(argv)
    draw(asked.seed, asked.size, asked.lesions).save(asked.out, quality=92)


if __name__ == "__main__":
    main()
