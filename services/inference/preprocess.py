"""From a photograph to the square of pixels a model reads.

Cameras differ: some frames are wide with black borders, some are cropped to the field of view, some are squeezed to a
square. All become the same thing here: the bounding square of the lit field, black outside it, `size` × `size` × 3.
Everything after that (contrast filter, circle mask, normalisation) is inside the ONNX graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SURVEY = 256  # longest side, in pixels, of the small copy in which the field is looked for
CHORD = 0.03  # a row or column belongs to the field when at least this share of it is lit
BORDER = 0.25  # corners brighter than this share of the field are no surround: the field fills the frame
LIFT = 0.12  # the edge of the field lies this share of the way from surround to field brightness
NOISE = 6.0  # grey levels by which black JPEG surrounds flicker
SQUEEZED = 0.04  # a field this far from round was squeezed; upright ones lie within 0.015 (three cameras, 320 pictures)
REDUCING_GAP = 2.0  # large photographs are first reduced by whole pixels to this many times the size: as good, cheaper
FIT = 0.99  # share of the outline's variation that an ellipse must explain before it is believed


@dataclass(frozen=True)
class Field:
    """The lit field of view, in pixels of the original photograph; `found` is False when there is no dark surround.
    `aspect` is the height over the width of its outline, 1 unless somebody squeezed the photograph."""

    left: float
    top: float
    right: float
    bottom: float
    found: bool
    aspect: float = 1.0

    @property
    def width(self) -> float:
        """Pixels across, after a squeezed photograph is made round again."""
        return (self.right - self.left) * self.aspect

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, in the photograph, of the square that `square` cuts; it may reach outside."""
        half = max(self.width, self.height) / 2
        across, down = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return across - half / self.aspect, down - half, across + half / self.aspect, down + half


def find_field(image: Image.Image) -> Field:
    """The bounding box of the lit field. The surround is judged from the corners, so that dim retinas keep their edges
    and time stamps or logos away from the field are left out."""
    survey = _rgb(image)
    survey = survey.reduce(max(1, int(max(survey.size) / (1.5 * SURVEY))))
    survey.thumbnail((SURVEY, SURVEY), Image.Resampling.BOX, reducing_gap=None)
    red, green, blue = np.moveaxis(np.asarray(survey), 2, 0)
    light = np.maximum(np.maximum(red, green), blue).astype(np.float32)
    high, wide = light.shape
    surround = _surround(light)
    field = float(np.percentile(light, 95))
    if field - surround <= NOISE or surround > BORDER * field:
        return Field(0.0, 0.0, float(image.width), float(image.height), found=False)
    lit = light > surround + max(NOISE, LIFT * (field - surround))
    rows = _longest_run(lit.mean(axis=1) >= CHORD, lit.sum(axis=1))
    columns = _longest_run(lit[rows[0] : rows[1]].mean(axis=0) >= CHORD, lit.sum(axis=0))
    across, down = image.width / wide, image.height / high
    box = (columns[0] * across, rows[0] * down, columns[1] * across, rows[1] * down)
    return Field(*box, found=True, aspect=_aspect(lit, rows))


def centre(image: Image.Image) -> Field:
    """The largest square in the middle of a photograph, whatever it shows."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return Field(left, top, left + side, top + side, found=False)


def square(image: Image.Image, size: int, field: Field | None = None) -> Pixels:
    """The field of view, centred in a black square: uint8 [size, size, 3], RGB."""
    image = _rgb(image)
    field = field or find_field(image)
    side = max(field.width, field.height, 1.0)
    scale = size / side
    wide, high = max(1, round(field.width * scale)), max(1, round(field.height * scale))
    box = (field.left, field.top, max(field.right, field.left + 1), max(field.bottom, field.top + 1))
    inner = image.resize((wide, high), Image.Resampling.BILINEAR, box=box, reducing_gap=REDUCING_GAP)
    canvas = Image.new("RGB", (size, size))
    canvas.paste(inner, ((size - wide) // 2, (size - high) // 2))
    return np.asarray(canvas, dtype=np.uint8)


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _surround(light: NDArray[np.float32]) -> float:
    """Brightness outside the field: the second darkest of the four corners, since a tab or a logo may sit in some."""
    high, wide = (max(1, side // 24) for side in light.shape)
    corners = (light[:high, :wide], light[:high, -wide:], light[-high:, :wide], light[-high:, -wide:])
    return float(np.sort([np.median(corner) for corner in corners])[1])


def _aspect(lit: NDArray[np.bool_], rows: tuple[int, int]) -> float:
    """Height over width of the ellipse that the field is part of. The squared half chord of an ellipse is a quadratic
    in the row, so a field whose top and bottom are cut off tells its aspect as well as a whole one does."""
    chosen = np.arange(rows[0] + 2, rows[1] - 2)
    part = lit[chosen]
    first = part.argmax(axis=1)
    last = part.shape[1] - part[:, ::-1].argmax(axis=1)
    whole = part.any(axis=1) & (first > 1) & (last < part.shape[1] - 1)  # not cut by the sides of the frame
    if whole.sum() < 40:
        return 1.0
    chords = ((last - first)[whole] / 2.0) ** 2
    curve = np.polyfit(chosen[whole], chords, 2)
    missed = chords - np.polyval(curve, chosen[whole])
    if curve[0] >= 0 or missed.var() > (1 - FIT) * chords.var():
        return 1.0
    aspect = float((-curve[0]) ** -0.5)
    return aspect if abs(aspect - 1) > SQUEEZED and 0.5 < aspect < 2.0 else 1.0


def _longest_run(flags: NDArray[np.bool_], weight: NDArray[np.int_]) -> tuple[int, int]:
    """Start and end of the run of true flags that holds most lit pixels (the whole line when none is true)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if not runs:
        return 0, len(flags)
    return max(runs, key=lambda run: int(weight[run[0] : run[1]].sum()))
