"""The drawn retina is deterministic, black outside its field, and differs with its seed and its lesions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.dr import phantom


def test_the_same_seed_draws_the_same_picture() -> None:
    assert phantom.draw(7, 200).tobytes() == phantom.draw(7, 200).tobytes()
    assert phantom.draw(7, 200).tobytes() != phantom.draw(8, 200).tobytes()


@pytest.mark.parametrize("size", [160, 333, 800])
def test_a_lit_disc_on_black(size: int) -> None:
    image = phantom.draw(1, size)
    assert image.size == (size, size)
    assert image.mode == "RGB"
    pixels = np.asarray(image)
    corner = size // 12
    assert pixels[:corner, :corner].max() < 10
    middle = pixels[size // 3 : -size // 3, size // 3 : -size // 3].reshape(-1, 3).mean(axis=0)
    assert middle[0] > middle[1] > middle[2] > 5


def test_lesions_change_spots_and_not_the_eye() -> None:
    clean, sick = (np.asarray(phantom.draw(4, 400, lesions)).astype(int) for lesions in (False, True))
    changed = np.abs(clean - sick).max(axis=2) > 25
    assert 0.003 < changed.mean() < 0.12


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "eye.jpg"
    phantom.main([str(out), "--seed", "3", "--size", "300", "--lesions"])
    with Image.open(out) as image:
        assert image.size == (300, 300)
