"""The drawn leaf is deterministic, green, and differs with its seed and its signs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.maize import phantom


def test_the_same_seed_draws_the_same_picture() -> None:
    assert phantom.draw(7, 120).tobytes() == phantom.draw(7, 120).tobytes()
    assert phantom.draw(7, 120).tobytes() != phantom.draw(8, 120).tobytes()


@pytest.mark.parametrize("size", [96, 201])
def test_a_green_blade_fills_the_picture(size: int) -> None:
    image = phantom.draw(1, size)
    assert (image.size, image.mode) == ((size, size), "RGB")
    red, green, blue = np.moveaxis(np.asarray(image).astype(int), 2, 0)
    assert ((green > red) & (green > blue)).mean() > 0.97


@pytest.mark.parametrize(
    ("sign", "least", "most"), [("Blight", 0.02, 0.4), ("Common_Rust", 0.02, 0.3), ("Gray_Leaf_Spot", 0.03, 0.4)]
)
def test_signs_turn_part_of_the_blade_brown(sign: str, least: float, most: float) -> None:
    red, green, _ = np.moveaxis(np.asarray(phantom.draw(2, 240, sign)).astype(int), 2, 0)
    assert least < (red > green).mean() < most


def test_a_sign_that_cannot_be_drawn_raises() -> None:
    with pytest.raises(ValueError, match="no drawing of Armyworm"):
        phantom.draw(1, 64, "Armyworm")


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "leaf.jpg"
    phantom.main([str(out), "--seed", "3", "--size", "120", "--sign", "Blight"])
    with Image.open(out) as image:
        assert image.size == (120, 120)
