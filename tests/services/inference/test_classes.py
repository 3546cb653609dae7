"""A model of classes: trusted only when it says what it said at release, and silent when it is not sure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.maize.phantom import draw
from services.inference.classes import Classifier
from services.inference.engine import Engine
from services.inference.heatmap import explain_class
from services.inference.manifest import ModelError, load_classes, load_grades
from services.inference.opening import open_engine
from services.inference.preprocess import centre

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="module")
def light() -> Classifier:
    return Classifier(MODELS, "maize", "light")


def test_a_manifest_says_which_kind_opens(light: Classifier) -> None:
    assert isinstance(open_engine(MODELS, "maize", "light"), Classifier)
    assert isinstance(open_engine(MODELS, "dr", "light"), Engine)
    for load, programme in ((load_grades, "maize"), (load_classes, "dr")):
        with pytest.raises(ModelError, match=programme):
            load(MODELS, programme)
    with pytest.raises(ModelError, match="maize: grades nothing"):
        Engine(MODELS, "maize")
    assert light.manifest.classes == ("Blight", "Common_Rust", "Gray_Leaf_Spot", "Healthy")


def test_a_reading_has_every_class_and_names_one_when_it_is_sure(light: Classifier) -> None:
    found = light.read(draw(1, 500, "Gray_Leaf_Spot"))
    assert (found.programme, found.tier, found.found, found.likeliest) == ("maize", "light", *["Gray_Leaf_Spot"] * 2)
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found.probability == max(found.probabilities.values()) >= light.tier.abstain_below
    assert found.milliseconds.keys() == {"preprocess", "model", "total"}
    unsure = light.read(Image.new("RGB", (300, 200), (128, 128, 128)))
    assert (unsure.found is None) == (unsure.probability < light.tier.abstain_below)


@pytest.mark.parametrize(
    ("size", "box"), [((400, 300), (50, 0, 350, 300)), ((300, 401), (0, 50.5, 300, 350.5)), ((7, 7), (0, 0, 7, 7))]
)
def test_the_square_is_the_middle_one(size: tuple[int, int], box: tuple[float, ...]) -> None:
    field = centre(Image.new("RGB", size))
    assert (field.left, field.top, field.right, field.bottom) == box
    assert not field.found


def test_the_sides_of_a_wide_picture_are_not_looked_at(light: Classifier) -> None:
    leaf = draw(2, 400)
    wide = Image.new("RGB", (800, 400), (255, 0, 255))
    wide.paste(leaf, (200, 0))
    assert light.read(wide).probabilities == pytest.approx(light.read(leaf).probabilities, abs=0.01)


def test_the_heat_of_a_disease_and_of_nothing_else(light: Classifier) -> None:
    sick, well = draw(1, 400, "Gray_Leaf_Spot"), draw(2, 400)
    heat = explain_class(light, sick, light.read(sick))
    assert heat is not None
    assert (heat.method, float(np.max(heat.grid)), heat.field.found) == ("activation", 1.0, False)
    assert light.read(well).found == "Healthy"
    assert explain_class(light, well, light.read(well)) is None


def change(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw.__setitem__(key, value)


def of_light(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["tiers"]["light"].__setitem__(key, value)


def of_golden(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["golden"][0].__setitem__(key, {"light": value})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change("kind", "boxes"), "of kind 'boxes', this release reads grades, classes"),
        (change("healthy", "Well"), "healthy, 'Well', is none of Blight"),
        (change("crop", "left"), "crop 'left' is unknown"),
        (change("classes", ["A", "B", "C", "D", "Healthy"]), "has 4 outputs, the manifest asks for number 4"),
        (change("golden", []), "no golden case"),
        (of_light("abstain_below", 1.5), "abstain_below 1.5 is no probability"),
        (of_light("temperature", 0), "temperature 0 is not above zero"),
        (of_light("sha256", "0" * 64), "the manifest says 000000000000"),
        (of_light("file", "../dr/light.onnx"), "leaves the model's folder"),
        (of_light("size", 160), "the manifest says a square of 160"),
        (of_golden("class", "Healthy"), "golden case blight.jpg: says Blight, said Healthy"),
        (of_golden("probability", 0.5), r"golden case blight.jpg: probability is 0\.\d+, was 0.5000"),
        (lambda raw: raw["golden"][0].__setitem__("class", {}), "says nothing of tier light"),
        (lambda raw: raw.pop("classes"), "KeyError: 'classes'"),
    ],
)  # fmt: skip
def test_a_model_that_may_not_be_trusted_is_no_model(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    folder = tmp_path / "maize"
    shutil.copytree(MODELS / "maize" / "golden", folder / "golden")
    shutil.copy(MODELS / "maize" / "light.onnx", folder)
    raw = json.loads((MODELS / "maize" / "manifest.json").read_text())
    spoil(raw)
    (folder / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=reason):
        open_engine(tmp_path, "maize", "light")
