"""The quality gate: is it a photograph of a retina, and can anyone grade it?

Two logistic regressions over image statistics that a person can name, with their squares (too dark and too bright are
both bad). Their coefficients are part of the model's manifest; `models/lab/quality.py` fits them on EyeQ labels
(Fu et al. 2019) and on pictures that are no retina.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from services.inference.preprocess import Field, find_field, square

Floats = NDArray[np.float64]

SIDE = 128  # pixels; EyeQ's copies have fields of about 130, finer detail could not be calibrated
BLOCK = 16  # pixels, side of the blocks whose contrast shows how much of the field is sharp

STATISTICS = (
    "brightness", "dark_share", "bright_share", "unevenness", "fine_contrast", "vessel_contrast", "coarse_contrast",
    "sharpest_blocks", "dullest_blocks", "red_share", "blue_share", "colour_spread", "saturation", "lit_corners",
    "dark_rim",
)  # fmt: skip

# What to tell the sender: the first statistic outside what is usual for gradable photographs decides. Exposure comes
# first, since too little or too much light takes away the contrast by which focus is judged.
SIGNS: tuple[tuple[str, str, str], ...] = (
    ("brightness", "low", "quality-dark"),
    ("dark_share", "high", "quality-dark"),
    ("brightness", "high", "quality-bright"),
    ("bright_share", "high", "quality-bright"),
    ("vessel_contrast", "low", "quality-blurred"),
    ("sharpest_blocks", "low", "quality-blurred"),
    ("dark_rim", "high", "quality-cropped"),
    ("lit_corners", "high", "quality-cropped"),
)
BOUNDED = (
    "brightness",
    "bright_share",
)  # beyond all that was gradable in calibration: ungradable whatever the rest says


@dataclass(frozen=True)
class Quality:
    """`score` is the probability that a person would find the photograph gradable; `reasons` are message ids, the
    weightiest first, and empty when it is gradable."""

    gradable: bool
    score: float
    reasons: tuple[str, ...]


def assess(
    image: Image.Image, parameters: Mapping[str, Any], field: Field | None = None, smallest: float | None = None
) -> Quality:
    """Judge a photograph by the `quality` part of a manifest; `smallest` overrides the least field width in pixels."""
    field = field or find_field(image)
    smallest = parameters["smallest_field"] if smallest is None else smallest
    values = statistics(square(image, SIDE, field))
    retina, gradable = (_probability(values, parameters[name]) for name in ("retina", "gradable"))
    if retina < parameters["retina"]["threshold"]:
        return Quality(False, min(retina, gradable), ("quality-not-retina",))
    reasons = []
    if max(field.width, field.height) < smallest:
        reasons.append("quality-small")
    if gradable < parameters["gradable"]["threshold"] or beyond(values, parameters["gradable"]):
        reasons.append(_reason(values, parameters["gradable"]))
    return Quality(not reasons, gradable, tuple(reasons))


def statistics(pixels: NDArray[np.uint8]) -> Floats:
    """The statistics named in STATISTICS of a square [SIDE, SIDE, 3] with the field in its middle."""
    image = Image.fromarray(pixels)
    colour = pixels.astype(np.float64)
    light = colour.mean(axis=2)
    inside, corners, rim = _regions()
    green = image.getchannel("G")
    soft = {sigma: np.asarray(green.filter(ImageFilter.GaussianBlur(sigma)), np.float64) for sigma in (1, 3, 8)}
    level = soft[8] + 8.0
    vessels = np.abs(soft[1] - soft[3]) / level
    blocks = _blocks(vessels, inside)
    total = colour[inside].sum(axis=1) + 6.0
    red, blue = (colour[inside, 0] + 2) / total, (colour[inside, 2] + 2) / total
    brightest = colour[inside].max(axis=1)
    low, high = np.percentile(soft[8][inside], (10, 90))
    return np.array(
        [
            math.log(light[inside].mean() + 1),
            (brightest < 24).mean(),
            (colour[inside].min(axis=1) > 200).mean() + (colour[inside, 1] > 235).mean(),
            math.log((high + 4) / (low + 4)),
            math.log(np.mean(np.abs(np.asarray(green, np.float64) - soft[1])[inside] / level[inside]) + 1e-3),
            math.log(vessels[inside].mean() + 1e-3),
            math.log(np.mean(np.abs(soft[3] - soft[8])[inside] / level[inside]) + 1e-3),
            math.log(np.percentile(blocks, 85) + 1e-3),
            math.log(np.percentile(blocks, 20) + 1e-3),
            red.mean(),
            blue.mean(),
            red.std(),
            ((brightest - colour[inside].min(axis=1)) / (brightest + 2)).mean(),
            (light[corners] > 24).mean(),
            (light[rim] < 16).mean(),
        ]
    )


def _regions() -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the field, of the corners outside it, and of the field's outer ring left and right."""
    axis = (np.arange(SIDE) - (SIDE - 1) / 2) / SIDE
    across, down = axis[None, :], axis[:, None]
    radius = np.sqrt(across**2 + down**2)
    inside = (radius < 0.46) & (np.abs(down) < 0.38)
    return inside, radius > 0.53, (radius > 0.36) & (radius < 0.46) & (np.abs(down) < 0.25)


def _blocks(contrast: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Mean contrast of the blocks that lie mostly within the field."""
    count = SIDE // BLOCK
    shape = (count, BLOCK, count, BLOCK)
    share = inside.reshape(shape).mean(axis=(1, 3))
    mean = (contrast * inside).reshape(shape).mean(axis=(1, 3))
    kept = share > 0.6
    return np.asarray(mean[kept] / share[kept])


def _probability(values: Floats, model: Mapping[str, Any]) -> float:
    """Logistic regression; values beyond what was seen in calibration are held at the edge of it."""
    held = np.clip(values, model["low"], model["high"])
    z = (held - np.asarray(model["mean"])) / np.asarray(model["deviation"])
    logit = float(model["intercept"] + z @ np.asarray(model["linear"]) + z**2 @ np.asarray(model["square"]))
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, logit))))


def beyond(values: Floats, model: Mapping[str, Any]) -> bool:
    """Whether the exposure lies outside all that was gradable in calibration."""
    at = [STATISTICS.index(name) for name in BOUNDED]
    return any(not model["seen_low"][i] <= values[i] <= model["seen_high"][i] for i in at)


def _reason(values: Floats, model: Mapping[str, Any]) -> str:
    """The message for the first sign that is out of the usual; focus when none is, the commonest fault by far."""
    for name, side, message in SIGNS:
        at = STATISTICS.index(name)
        usual = model[f"usual_{side}"][at]
        if (values[at] < usual) if side == "low" else (values[at] > usual):
            return message
    return "quality-blurred"
