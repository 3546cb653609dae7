"""What an engine makes of its logits: the band of doubt, mirrored views, suspected oedema."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.dr import phantom
from services.inference.engine import FLIPS, Engine, calibrated, outcome_of
from services.inference.manifest import load

MODELS = Path(__file__).resolve().parents[3] / "models"
Make = Callable[..., Engine]


@pytest.fixture
def engine_with(tmp_path: Path) -> Make:
    """The released model with other fields in its manifest; golden cases, which those fields change, are left out
    but the blurred one."""

    def make(**fields: Any) -> Engine:
        folder = tmp_path / "models" / "dr"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(MODELS / "dr", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        manifest = json.loads((folder / "manifest.json").read_text())
        for name in ("doubt", "views", "oedema"):
            manifest["tiers"]["full"].pop(name, None)
        manifest["tiers"]["full"].update(fields)
        manifest["golden"] = [case for case in manifest["golden"] if not case["gradable"]]
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return Engine(folder.parent, "dr", "full")

    return make


def risk(engine: Engine, image: Any) -> float:
    probability = engine.read(image).probability
    assert probability is not None
    return probability


def test_a_manifest_without_the_new_fields_has_no_band_one_view_and_no_oedema(engine_with: Make) -> None:
    tier = engine_with().tier
    assert (tier.doubt, tier.views, tier.oedema) == (tier.threshold, 1, None)


def test_between_doubt_and_threshold_is_never_normal(engine_with: Make) -> None:
    image = phantom.draw(3, 500)
    at = risk(engine_with(), image)
    cases = [  # doubt, threshold, doubtful, outcome
        (at * 1.2, at * 1.4, False, "rescreen"),
        (at * 0.8, at * 1.4, True, "retake"),
        (at, at * 1.4, True, "retake"),  # the band holds its lower edge
        (at * 0.8, at, False, "refer"),  # and not its upper one
        (at * 0.8, at * 0.9, False, "refer"),
    ]
    for doubt, threshold, doubtful, outcome in cases:
        reading = engine_with(doubt=doubt, threshold=threshold).read(image)
        assert (reading.doubtful, outcome_of(reading)) == (doubtful, outcome)
        assert reading.referable is (outcome == "refer"), "doubt is no sign"
        assert reading.signs == (("retinopathy",) if outcome == "refer" else ())


@pytest.mark.parametrize("views", [1, 2, 4])
def test_views_average_the_logits_of_mirrored_squares(engine_with: Make, views: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    single, averaged = engine_with(), engine_with(views=views)
    mirrored = [pixels, pixels[:, ::-1], pixels[::-1], pixels[::-1, ::-1]][:views]
    expected = np.mean([single.logits(each) for each in mirrored], axis=0)
    assert averaged.logits(pixels) == pytest.approx(expected, abs=1e-4)
    assert calibrated(averaged.logits(pixels)[averaged.tier.output], averaged.tier.temperature) == pytest.approx(
        calibrated(expected[averaged.tier.output], averaged.tier.temperature), abs=1e-4
    )


def test_four_views_do_not_see_which_way_a_square_is_mirrored(engine_with: Make) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    engine = engine_with(views=4)
    for flip in FLIPS:
        assert engine.logits(pixels[flip]) == pytest.approx(engine.logits(pixels), abs=1e-4)


def test_suspected_oedema_refers_and_says_so(engine_with: Make) -> None:
    image = phantom.draw(3, 500)
    plain = engine_with().read(image)
    assert (plain.referable, plain.oedema_probability, plain.signs) == (False, None, ())
    field = {"output": 4, "temperature": 1.0}
    at = engine_with(oedema=field | {"threshold": 0.999}).read(image).oedema_probability
    assert at is not None
    for threshold, signs, outcome in ((at * 1.01, (), "rescreen"), (at * 0.99, ("oedema",), "refer")):
        reading = engine_with(oedema=field | {"threshold": threshold}).read(image)
        assert (reading.signs, reading.referable, outcome_of(reading)) == (signs, bool(signs), outcome)
        assert reading.model.oedema_threshold == threshold
    sick = engine_with(oedema=field | {"threshold": 1e-6}).read(phantom.draw(3, 500, lesions=True))
    assert sick.signs == ("retinopathy", "oedema")


def test_oedema_is_stronger_than_doubt(engine_with: Make) -> None:
    oedema = {"output": 4, "temperature": 1.0, "threshold": 1e-6}
    reading = engine_with(doubt=1e-6, threshold=0.9, oedema=oedema).read(phantom.draw(3, 500))
    assert not reading.doubtful
    assert outcome_of(reading) == "refer"


def test_an_ungradable_photograph_has_no_probability_of_anything(engine_with: Make) -> None:
    engine = engine_with(doubt=1e-6, oedema={"output": 4, "temperature": 1.0, "threshold": 1e-6})
    reading = engine.read(phantom.draw(3, 500).point(lambda value: value * 0.05))
    assert (reading.probability, reading.oedema_probability, reading.referable, reading.confidence) == (None,) * 4
    assert (reading.signs, reading.doubtful, outcome_of(reading)) == ((), False, "retake")


@pytest.mark.parametrize("lesions", [False, True])
def test_confidence_is_that_of_the_likelier_answer(engine_with: Make, lesions: bool) -> None:
    reading = engine_with().read(phantom.draw(3, 500, lesions))
    assert reading.probability is not None
    assert reading.confidence == max(reading.probability, 1 - reading.probability) >= 0.5


def test_the_released_band_lies_below_its_threshold() -> None:
    for tier in load(MODELS, "dr").tiers.values():
        assert 0 < tier.doubt <= tier.threshold
