"""A photograph gets small enough or is refused, never below the stated quality, never larger than it was."""

from __future__ import annotations

import io
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.dr.phantom import draw
from services.inference.engine import Engine
from services.screening.sanitise import sanitise
from services.sync.compress import (
    HIGHEST,
    LEAST_SIDE,
    LEAST_SIMILARITY,
    LOWEST,
    WORTH,
    TooMuchLost,
    compress,
    similarity,
)

RELEASED = Path(__file__).resolve().parents[3] / "models"
DR = Path(os.environ.get("JICHO_SHARED", "/work/shared")) / "data" / "dr" / "images"


def nothing(_image: Image.Image) -> float | None:
    return None


@lru_cache(maxsize=8)
def eye(seed: int) -> Image.Image:
    return draw(seed, 600, lesions=True)


def grainy(side: int, seed: int = 1, *, strength: float = 5) -> Image.Image:
    """A drawn eye as a phone takes it: large, with the grain of its sensor."""
    pixels = np.asarray(eye(seed).resize((side, side)), dtype=np.float32)
    grain = np.random.default_rng(seed).normal(0, strength, (side, side, 1))
    return Image.fromarray(np.clip(pixels + grain * (pixels.max(axis=2, keepdims=True) > 12), 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.mark.parametrize(("side", "limit"), [(2400, 100_000), (1600, 100_000), (1200, 90_000)])
def test_a_large_photograph_fits_and_is_still_alike(side: int, limit: int) -> None:
    original = jpeg(grainy(side))
    assert len(original) > 2 * limit
    found = compress(original, limit, nothing)
    assert limit * 0.8 < len(found.jpeg) <= limit, "what may be used is used"
    assert found.quality is not None
    assert LOWEST <= found.quality <= HIGHEST
    assert LEAST_SIDE <= found.side <= side
    assert found.similarity >= LEAST_SIMILARITY
    assert found.encodes <= 9
    with Image.open(io.BytesIO(found.jpeg)) as image:
        assert (image.format, max(image.size), image.getexif()) == ("JPEG", found.side, {})


def test_equal_photographs_make_equal_files() -> None:
    original = jpeg(grainy(1600))
    assert compress(original, 100_000, nothing) == compress(original, 100_000, nothing)


@pytest.mark.parametrize("quality", [30, 92])
def test_what_is_small_enough_is_not_encoded_again_for_little(quality: int) -> None:
    original = jpeg(grainy(320), quality)
    found = compress(original, 100_000, nothing)
    assert found.kept
    assert (found.jpeg, found.similarity) == (original, 1.0)


def test_what_is_small_enough_but_wasteful_gets_smaller() -> None:
    original = jpeg(grainy(320, strength=0.5), 100)
    found = compress(original, 100_000, nothing)
    assert not found.kept
    assert len(found.jpeg) <= WORTH * len(original)


@pytest.mark.parametrize("limit", [1_000, 12_000])
def test_too_few_bytes_are_refused(limit: int) -> None:
    with pytest.raises(TooMuchLost):
        compress(jpeg(grainy(1600)), limit, nothing)


def test_noise_that_no_encoder_can_follow_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1600, 1600, 3)).astype(np.uint8)
    with pytest.raises(TooMuchLost):
        compress(jpeg(Image.fromarray(noise)), 100_000, nothing)


def test_similarity_falls_with_quality() -> None:
    image = grainy(1000)
    copies = [Image.open(io.BytesIO(jpeg(image, quality))).convert("RGB") for quality in (95, 60, 20, 3)]
    found = [similarity(image, copy) for copy in copies]
    assert similarity(image, image) == pytest.approx(1.0)
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.99
    assert found[-1] < LEAST_SIMILARITY


def test_no_photograph_is_told_so() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        compress(b"<html>not a photograph</html>", 100_000, nothing)


@settings(max_examples=15, deadline=None)
@given(
    side=st.integers(210, 500), quality=st.integers(20, 100), limit=st.integers(2_000, 80_000), seed=st.integers(0, 2)
)
def test_never_too_large_never_larger_never_worse_than_stated(side: int, quality: int, limit: int, seed: int) -> None:
    original = jpeg(grainy(side, seed), quality)
    try:
        found = compress(original, limit, nothing)
    except TooMuchLost:
        assert len(original) > limit, "what fits already is never refused"
        return
    assert len(found.jpeg) <= min(limit, len(original))
    assert found.similarity >= LEAST_SIMILARITY


def test_the_models_word_is_asked_before_and_after() -> None:
    engine = Engine(RELEASED, "dr")
    found = compress(jpeg(grainy(1600)), 100_000, lambda image: engine.read(image).probability)
    assert found.before is not None
    assert found.after is not None
    assert found.before > engine.tier.threshold
    assert abs(found.before - found.after) < 0.1


@pytest.mark.skipif(not DR.is_dir(), reason="the real photographs are not on this machine")
def test_real_photographs_go_as_they_are_stored() -> None:
    for path in sorted(DR.glob("*.jpg"))[::200]:
        stored = sanitise(path.read_bytes()).jpeg
        found = compress(stored, 100_000, nothing)
        assert found.kept, path.name
