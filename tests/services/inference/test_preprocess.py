"""However a retina is framed, the model sees the same square."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.dr import phantom
from services.inference.preprocess import find_field, square

SIDE = 128
RETINA = phantom.draw(5, 400)


def framed(wide: int, high: int, level: int = 0, noise: float = 0.0) -> Image.Image:
    """The retina in the middle of a camera frame with a dark, perhaps noisy, surround."""
    canvas = np.full((high, wide, 3), level, dtype=np.float32)
    top, left = (high - 400) // 2, (wide - 400) // 2
    canvas[top : top + 400, left : left + 400] = np.maximum(level, np.asarray(RETINA))
    canvas += np.random.default_rng(0).normal(0, noise, canvas.shape) if noise else 0
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def stamped() -> Image.Image:
    image = framed(900, 600)
    ImageDraw.Draw(image).text((10, 10), "2026-11-24 08:15", fill="white")
    ImageDraw.Draw(image).rectangle((860, 560, 890, 590), fill="white")
    return image


FRAMES = {
    "whole frame": lambda: framed(1000, 600),
    "upright frame": lambda: framed(500, 900),
    "grey surround": lambda: framed(900, 600, level=12),
    "noisy surround": lambda: framed(900, 600, level=4, noise=3.0),
    "date stamp and logo": stamped,
    "four times as large": lambda: framed(1000, 600).resize((4000, 2400), Image.Resampling.BICUBIC),
    "squeezed to a square": lambda: framed(800, 600).resize((600, 600), Image.Resampling.BICUBIC),
    "stretched": lambda: framed(600, 600).resize((1000, 640), Image.Resampling.BICUBIC),
    "dim": lambda: framed(900, 600).point(lambda value: value * 0.25),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_square_does_not_depend_on_the_frame(name: str) -> None:
    seen, expected = (square(image, SIDE).astype(float) for image in (FRAMES[name](), RETINA))
    if name == "dim":
        seen *= 4
    assert np.abs(seen - expected).mean() < 4.0


def test_a_field_cut_at_top_and_bottom_is_centred_between_black_bands() -> None:
    cut = RETINA.crop((0, 60, 400, 340))
    seen = square(cut, SIDE)
    assert seen[:14].max() < 12
    assert seen[-14:].max() < 12
    expected = square(RETINA, SIDE)
    assert np.abs(seen[30:98].astype(float) - expected[30:98]).mean() < 4.0


def test_a_cut_field_that_was_squeezed_is_made_round_again() -> None:
    cut = RETINA.crop((0, 60, 400, 340))
    squeezed = cut.resize((280, 280), Image.Resampling.BICUBIC)
    assert find_field(squeezed).aspect == pytest.approx(400 / 280, rel=0.03)
    assert np.abs(square(squeezed, SIDE).astype(float) - square(cut, SIDE)).mean() < 4.0


@pytest.mark.parametrize("seed", range(6))
def test_a_round_field_is_left_as_it_is(seed: int) -> None:
    assert find_field(phantom.draw(seed, 300)).aspect == 1.0


@pytest.mark.parametrize(
    "image",
    [
        RETINA.crop((120, 120, 280, 280)),
        Image.new("RGB", (300, 200), (200, 120, 80)),
        Image.new("RGB", (300, 200)),
        Image.new("RGB", (1, 1), "white"),
        Image.new("RGB", (5000, 3), "white"),
    ],
    ids=["no border", "flat", "black", "one pixel", "sliver"],
)
def test_without_a_surround_the_whole_picture_is_the_field(image: Image.Image) -> None:
    field = find_field(image)
    assert not field.found
    assert (field.left, field.top, field.right, field.bottom) == (0, 0, *image.size)
    assert square(image, SIDE).shape == (SIDE, SIDE, 3)


def test_one_lit_pixel_is_no_field_and_no_error() -> None:
    image = Image.new("RGB", (300, 300))
    image.putpixel((150, 150), (255, 255, 255))
    assert square(image, SIDE).dtype == np.uint8


@lru_cache
def eye(side: int) -> Image.Image:
    """Drawn once: a large one takes seconds."""
    return phantom.draw(5, side, lesions=True)


@pytest.mark.parametrize("side", [320, 800, 1600, 2200])
@pytest.mark.parametrize("size", [128, 256, 320])
def test_reducing_in_steps_changes_less_than_a_grey_level(side: int, size: int) -> None:
    image = eye(side)
    field = find_field(image)
    wide = round(field.width / max(field.width, field.height) * size)
    high = round(field.height / max(field.width, field.height) * size)
    box = (field.left, field.top, field.right, field.bottom)
    at_once = Image.new("RGB", (size, size))
    at_once.paste(
        image.resize((wide, high), Image.Resampling.BILINEAR, box=box), ((size - wide) // 2, (size - high) // 2)
    )
    assert np.abs(square(image, size, field).astype(float) - np.asarray(at_once)).mean() < 1.0
