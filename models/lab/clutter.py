"""Drawn pictures that show nothing a programme is about."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def clutter(rng: np.random.Generator, size: int = 256) -> Image.Image:
    """A picture that is no retina: noise, flat or graded colour, text, a face, stripes; half of it in a circle."""
    kind = rng.integers(7)
    base = tuple(int(v) for v in rng.integers(0, 256, 3))
    image = Image.new("RGB", (size, size), base)
    draw = ImageDraw.Draw(image)
    if kind == 0:
        image = Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8))
    elif kind == 1:
        image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
    elif kind == 2:
        draw.rectangle((0, 0, size, size), fill="white")
        for y in range(10, size, 14):
            draw.text((int(rng.integers(4, 30)), y), "".join(map(chr, rng.integers(65, 91, 30))), fill="black")
    elif kind == 3:
        skin = (int(rng.integers(90, 240)), int(rng.integers(60, 180)), int(rng.integers(40, 150)))
        draw.ellipse((size * 0.2, size * 0.1, size * 0.8, size * 0.95), fill=skin)
        for x in (0.38, 0.62):
            draw.ellipse((size * (x - 0.06), size * 0.36, size * (x + 0.06), size * 0.44), fill="white")
            draw.ellipse((size * (x - 0.02), size * 0.38, size * (x + 0.02), size * 0.42), fill="black")
        draw.arc((size * 0.35, size * 0.55, size * 0.65, size * 0.78), 20, 160, fill="darkred", width=5)
    elif kind == 4:
        for at in range(0, size, int(rng.integers(6, 40))):
            draw.line((at, 0, size - at, size), fill=tuple(int(v) for v in rng.integers(0, 256, 3)), width=5)
    elif kind == 5:
        for _ in range(30):
            x, y, r = rng.uniform(0, size, 3)
            draw.ellipse((x, y, x + r / 4, y + r / 4), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 4))))
    return in_circle(image, rng) if rng.random() < 0.5 else image


def in_circle(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as a fundus camera would frame it: the outline alone must not make a retina."""
    mask = Image.new("L", image.size)
    edge = float(rng.uniform(0, 0.1)) * image.width
    ImageDraw.Draw(mask).ellipse((edge, edge, image.width - edge, image.height - edge), fill=255)
    return Image.composite(image, Image.new("RGB", image.size), mask)
