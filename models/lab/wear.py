"""How a photograph wears on its way here: turned, taken by hand, made small, saved as JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from models.lab.programme import Pixels

cv2.setNumThreads(1)


def turned(
    pixels: Pixels,
    size: int,
    rng: np.random.Generator,
    edge: int | None,
    scale: tuple[float, float] = (0.88, 1.12),
    stretch: float = 0.03,
    shift: float = 0.03,
) -> Pixels:
    """Any rotation and mirroring, in a square of `size`. What comes in from outside has the grey level `edge`, or
    mirrors what is inside for None."""
    side = pixels.shape[0]
    angle = rng.uniform(0, 2 * np.pi)
    zoom = size / side * rng.uniform(*scale)
    wide = np.array([rng.choice([-1.0, 1.0]) * rng.uniform(1 - stretch, 1 + stretch), 1.0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = zoom * np.array([[cos, -sin], [sin, cos]]) * wide
    centre = size / 2 + rng.uniform(-shift, shift, size=2) * size
    moved = centre - turn @ np.array([side / 2, side / 2])
    mode = cv2.BORDER_REFLECT_101 if edge is None else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(
            pixels, np.column_stack([turn, moved]), (size, size), flags=cv2.INTER_LINEAR, borderMode=mode,
            borderValue=(edge or 0,) * 3,
        ), np.uint8,
    )  # fmt: skip


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


def carried(pixels: Pixels, rng: np.random.Generator, smallest: float = 0.45) -> Pixels:
    """As messengers deliver it: a third from a smaller copy, half of them through a JPEG."""
    size = pixels.shape[0]
    if rng.random() < 0.35:
        small = int(size * rng.uniform(smallest, 0.95))
        pixels = cv2.resize(cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.5:
        quality = int(rng.uniform(30, 95))
        _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return pixels
