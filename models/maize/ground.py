"""A drawn ground: behind leaves that were cut out, and a picture of no leaf by itself."""

from __future__ import annotations

import cv2
import numpy as np

from models.lab.programme import Pixels


def ground(side: int, rng: np.random.Generator) -> Pixels:
    """A surface of no particular kind: uneven patches of two colours, green, brown or grey, sharp or out of focus."""
    one, other = (
        np.array([(70, 110, 50), (120, 90, 60), (130, 125, 130)][rng.integers(3)]) * rng.uniform(0.4, 1.7)
        for _ in range(2)
    )
    share = np.zeros((side, side), np.float32)
    for cells in (3, 9, 40):
        share += cv2.resize(rng.normal(0, 0.5, (cells, cells)).astype(np.float32), (side, side), interpolation=2)
    share = 1 / (1 + np.exp(-rng.uniform(1, 6) * share))[..., None]
    surface = one * share + other * (1 - share) + rng.normal(0, 6, (side, side, 1))
    return np.asarray(np.clip(surface, 0, 255), np.uint8)
