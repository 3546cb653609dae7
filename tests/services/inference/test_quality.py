"""The quality gate gives the reason that a person with the camera in hand can act on."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from models.dr import phantom
from services.inference.manifest import load
from services.inference.quality import STATISTICS, Quality, assess, statistics

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("JICHO_SHARED", ROOT.parent / "shared")) / "data"
PARAMETERS = load(ROOT / "models", "dr").quality


def judged(image: Image.Image) -> Quality:
    return assess(image, PARAMETERS)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lesions", [False, True])
def test_a_sharp_retina_is_gradable(seed: int, lesions: bool) -> None:
    quality = judged(phantom.draw(seed, 500, lesions))
    assert quality.gradable
    assert quality.reasons == ()
    assert quality.score > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_blur_is_named(seed: int) -> None:
    quality = judged(phantom.draw(seed, 500).filter(ImageFilter.GaussianBlur(14)))
    assert not quality.gradable
    assert "quality-blurred" in quality.reasons


def test_too_small_is_named() -> None:
    assert judged(phantom.draw(1, 170)).reasons == ("quality-small",)
    assert assess(phantom.draw(1, 170), PARAMETERS, smallest=100).gradable


@pytest.mark.parametrize(
    ("gain", "lift", "allowed"),
    [(0.1, 0, {"quality-dark"}), (1.2, 150, {"quality-bright"})],
    ids=["dark", "bright"],
)
def test_bad_exposure_is_not_gradable(gain: float, lift: int, allowed: set[str]) -> None:
    pixels = np.asarray(phantom.draw(2, 500)).astype(float)
    inside = pixels.max(axis=2, keepdims=True) > 12
    quality = judged(Image.fromarray(np.clip(pixels * gain + lift * inside, 0, 255).astype(np.uint8)))
    assert not quality.gradable
    assert set(quality.reasons) <= allowed


def test_a_shut_eye_or_a_lens_cap_is_dark() -> None:
    assert judged(Image.new("RGB", (400, 400))).reasons == ("quality-dark",)


def test_blur_lowers_the_score_step_by_step() -> None:
    retina = phantom.draw(3, 500)
    scores = [judged(retina.filter(ImageFilter.GaussianBlur(radius))).score for radius in (0, 5, 9, 14)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("level", [0, 7, 255])
def test_statistics_of_a_flat_picture_are_finite(level: int) -> None:
    values = statistics(np.full((128, 128, 3), level, dtype=np.uint8))
    assert values.shape == (len(STATISTICS),)
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("folder", "column", "kept", "low", "high"),
    [("dr", "eyeq", {"", "0.0", "1.0", "0", "1"}, 0.95, 1.0), ("quality", "quality", {"2"}, 0.0, 0.4)],
    ids=["gradable pass", "rejects are stopped"],
)
def test_on_validation_photographs(folder: str, column: str, kept: set[str], low: float, high: float) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"no photographs in {SHARED / folder}")
    with (SHARED / folder / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val" and row[column] in kept]
    passed = []
    for row in rows[::3]:
        with Image.open(SHARED / folder / "images" / row["image"]) as image:
            passed.append(assess(image, PARAMETERS, smallest=0).gradable)
    assert low <= np.mean(passed) <= high


def test_leaves_are_no_retina() -> None:
    if not (SHARED / "maize").is_dir():
        pytest.skip(f"no photographs in {SHARED / 'maize'}")
    stopped = []
    for path in sorted((SHARED / "maize" / "images").iterdir())[::40]:
        with Image.open(path) as image:
            stopped.append(not assess(image, PARAMETERS, smallest=0).gradable)
    assert np.mean(stopped) > 0.93
