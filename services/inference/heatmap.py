"""Where in a photograph the model saw its signs: a coarse map for the person who looks at the photograph again.

From the graph's own class-activation map when it has one; otherwise by occlusion (Zeiler and Fergus 2014): one patch
after the other is covered, and the map shows by how much the logit falls. That is some fifty runs of the model, so
nothing is computed for an eye that is not referred.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.inference.preprocess import Field, Pixels, centre, find_field, square

if TYPE_CHECKING:  # the hub draws maps that sites have computed, and has no ONNX Runtime in its processes
    from services.inference.classes import Classifier, ClassReading
    from services.inference.engine import Engine, Reading

Floats = NDArray[np.float32]

CELLS = 8  # places across and down
GREY = 128
WIDE, HIGH = 320, 480  # pixels, the most an overlay may have
MAX_BYTES = 30_000  # of an overlay: it may have to travel over a slow link
STRONGEST = 0.6  # how much of the photograph the hottest colour hides
COLD, HOT = (255, 220, 60), (220, 20, 0)  # yellow to red


@dataclass(frozen=True)
class Heat:
    """`grid` float32 [h, w] from 0 to 1 lies over the square that the model reads, row 0 at the top; `field` says where
    in the photograph that square is. `method` is "activation" or "occlusion"."""

    grid: Floats
    field: Field
    method: str


def explain(engine: Engine, image: Image.Image, reading: Reading) -> Heat | None:
    """The heat of the photograph that `reading` was read from by this engine; None unless it is referable."""
    if not reading.referable:
        return None
    field = find_field(image)
    pixels = square(image, engine.tier.size, field)
    if "retinopathy" not in reading.signs and engine.tier.oedema is not None:
        return Heat(_scaled(occlusion(engine, pixels, engine.tier.oedema.output)), field, "occlusion")
    if engine.has_map:
        return Heat(_scaled(engine.class_map(pixels)), field, "activation")
    return Heat(_scaled(occlusion(engine, pixels, engine.tier.output)), field, "occlusion")


def explain_class(classifier: Classifier, image: Image.Image, reading: ClassReading) -> Heat | None:
    """The heat of the disease that `reading` names; None where it names none, and for graphs without a map."""
    manifest = classifier.manifest
    if reading.found in (None, manifest.healthy) or not classifier.has_map:
        return None
    field = centre(image)
    pixels = square(image, classifier.tier.size, field)
    return Heat(_scaled(classifier.class_map(pixels, manifest.classes.index(reading.likeliest))), field, "activation")


def occlusion(engine: Engine, pixels: Pixels, output: int) -> Floats:
    """By how much the logit falls when a grey patch lies over each of CELLS × CELLS places: float32 [CELLS, CELLS].

    Patches are two cells wide, so that neighbours overlap. On drawn retinas grey ones told better where lesions are
    than patches of the eye's own colour or of the blurred photograph did. One view is enough here.
    """
    cell = pixels.shape[0] / CELLS
    before = float(engine.logits(pixels, views=1)[output])
    fall = np.zeros((CELLS, CELLS), dtype=np.float32)
    for row, column in np.ndindex(CELLS, CELLS):
        if not _in_field((row + 0.5) / CELLS, (column + 0.5) / CELLS):
            continue
        covered = pixels.copy()
        rows = slice(max(0, round((row - 0.5) * cell)), round((row + 1.5) * cell))
        columns = slice(max(0, round((column - 0.5) * cell)), round((column + 1.5) * cell))
        covered[rows, columns] = GREY
        fall[row, column] = before - float(engine.logits(covered, views=1)[output])
    return fall


def overlay(image: Image.Image, heat: Heat) -> bytes:
    """The photograph in greys with the heat in warm colours: a JPEG at most WIDE pixels wide and MAX_BYTES long."""
    scale = min(WIDE / image.width, HIGH / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = image.convert("L").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    under = np.asarray(grey, dtype=np.float32)[:, :, None]
    strength = _on_photograph(heat, size, scale)[:, :, None]
    colour = np.array(COLD, dtype=np.float32) + strength * (np.array(HOT, dtype=np.float32) - np.array(COLD))
    share = STRONGEST * np.clip(2 * strength, 0, 1) * (under > 8)  # nothing is found outside the field
    mixed = Image.fromarray(np.clip(under + (colour - under) * share, 0, 255).astype(np.uint8))
    for quality in (80, 65, 50, 35, 20, 5):
        file = io.BytesIO()
        mixed.save(file, "JPEG", quality=quality)
        if len(file.getvalue()) <= MAX_BYTES:
            break
    return file.getvalue()


def _on_photograph(heat: Heat, size: tuple[int, int], scale: float) -> Floats:
    """The grid drawn over a photograph of `size`, which is the original times `scale`: float32 [high, wide]."""
    left, top, right, bottom = (round(edge * scale) for edge in heat.field.bounds)
    smooth = Image.fromarray(heat.grid).resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BICUBIC)
    canvas = Image.new("F", size)
    canvas.paste(smooth, (left, top))
    return np.clip(np.asarray(canvas, dtype=np.float32), 0, 1)


def _scaled(found: Floats) -> Floats:
    """From 0 to 1: below the median is cold, the strongest cell is 1. All zero when no cell stands out."""
    above = np.clip(found - max(float(np.median(found)), 0.0), 0, None)
    top = float(above.max())
    return np.asarray(above / top if top > 0 else above, dtype=np.float32)


def _in_field(down: float, across: float) -> bool:
    """Whether a cell's centre lies near enough to the round field that its patch covers some of it."""
    return (down - 0.5) ** 2 + (across - 0.5) ** 2 < (0.5 + 0.4 / CELLS) ** 2
