"""The same steps for a programme of classes: a tiny run on drawn leaves, and what is released of it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.maize import phantom

torch = pytest.importorskip("torch", reason="the lab's requirements (models/lab/requirements.txt) are not installed")

MAIZE = Path(__file__).resolve().parents[2] / "models" / "maize"
CLASSES = ("Blight", "Common_Rust", "Gray_Leaf_Spot", "Healthy")
BUDGET = {"full": 3_200_000, "medium": 1_700_000, "light": 600_000}  # bytes


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 drawn leaves, 40 to learn from; the last of each class are wide ones from the field, squeezed to a square."""
    folder = tmp_path_factory.mktemp("leaves")
    (folder / "images").mkdir()
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", "split", "orig_size", "dup_group"])
        for seed in range(60):
            label = CLASSES[seed % 4]
            leaf = phantom.draw(seed, 112, None if label == "Healthy" else label)
            leaf.save(folder / "images" / f"{seed}.jpg", quality=90)
            size = "600x300" if 36 <= seed < 40 else "256x256"
            table.writerow([f"{seed}.jpg", label, "train" if seed < 40 else "val", size, seed])
    return folder


@pytest.fixture(scope="module")
def run(leaves: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A teacher, its student, and the student's graph in int8, at 96 px."""
    from models.lab import data, distil, export, quantise, train
    from models.maize import strangers

    runs = tmp_path_factory.mktemp("runs")
    common: dict[str, Any] = {
        "programme": "maize", "folder": str(leaves), "side": 112, "batch": 8, "mix": 0, "average": 0.8, "threads": 1,
        "shape": "light",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for module in (data, train, distil):
            patch.setattr(module, "RUNS", runs)
        patch.setattr(strangers, "DRAWN", 8)
        teacher = train.train(train.Settings(run="teacher", sizes="8x96", **common))
        distil.distil(distil.Settings(run="light", start=str(teacher), teachers=str(teacher), sizes="2x96", **common))
        graph = runs / "maize" / "export" / "light.float32.onnx"
        export.main(export.Settings(str(runs / "maize" / "light" / "last.pt"), str(graph), 96, programme="maize"))
        quantise.main(quantise.Settings(str(graph), folder=str(leaves), pictures=8, programme="maize"))
        yield runs / "maize"


def test_it_learns_classes_by_the_steps_that_learn_grades(run: Path) -> None:
    log = json.loads((run / "teacher" / "metrics.json").read_text())
    assert log[-1]["loss"] < log[0]["loss"]
    assert log[-1]["val_accuracy"] > 0.5  # a quarter by chance


def test_the_graph_has_a_logit_and_a_map_for_each_class(run: Path) -> None:
    import onnxruntime

    from models.lab import net

    grader, size = net.load(run / "light" / "last.pt")
    assert (grader.programme.name, size) == ("maize", 96)
    session = onnxruntime.InferenceSession(str(run / "export" / "light.float32.onnx"))
    pixels = np.array(phantom.draw(3, size, "Blight"))[None]
    logits, maps = session.run(["logits", "map"], {"pixels": pixels})
    assert logits.shape == (1, 4)
    assert maps.shape == (1, 4, 6, 6)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)) + grader.out.bias.detach().numpy(), logits, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(grader(torch.from_numpy(pixels)).numpy(), logits, atol=1e-3)


def test_another_programmes_checkpoint_is_not_exported(run: Path, tmp_path: Path) -> None:
    from models.lab import export

    with pytest.raises(ValueError, match="not of programme dr"):
        export.main(export.Settings(str(run / "light" / "last.pt"), str(tmp_path / "x.onnx"), 96))


def frozen(run: Path, leaves: Path, golden: dict[str, tuple[Image.Image, str | None]]) -> tuple[Any, dict[str, Any]]:
    from models.lab import release_classes
    from models.lab.programme import named

    grey = [("grey", Image.new("RGB", (96, 96), "grey"))]
    programme = replace(
        named("maize"), folder=str(leaves), strangers=lambda _split: iter(grey), golden=lambda _size: golden
    )
    settings = release_classes.Settings(strangers=0.0, floor=0.0)
    return programme, {"light": release_classes.freeze(run / "export" / "light.onnx", programme, settings)}


def test_a_tier_is_frozen_and_its_golden_cases_with_it(run: Path, leaves: Path, tmp_path: Path) -> None:
    from models.lab import release_classes
    from models.lab.limits import softmax
    from models.lab.tiers import view_logits

    leaf = phantom.draw(50, 112, "Gray_Leaf_Spot")
    programme, tiers = frozen(run, leaves, {})
    tier, graph = tiers["light"], run / "export" / "light.onnx"
    assert tier["sha256"] == hashlib.sha256(graph.read_bytes()).hexdigest()
    assert (tier["size"], tier["views"], tier["bytes"]) == (96, 1, graph.stat().st_size)
    assert 0.25 <= tier["temperature"] <= 4
    tiers["light"]["abstain_below"] = 0.01
    leaf.save(tmp_path / "leaf.jpg", quality=90)
    with Image.open(tmp_path / "leaf.jpg") as image:
        pixels = np.asarray(image.resize((96, 96), Image.Resampling.BILINEAR))[None]
    probability = softmax(view_logits(graph, pixels, 1) / tier["temperature"])[0]
    named_class = CLASSES[int(probability.argmax())]
    other = next(name for name in CLASSES if name not in (named_class, "Healthy"))
    for wanted, refused in ((named_class, False), (other, True), (None, True)):
        drawn = {"leaf.jpg": (leaf, wanted)}
        told = replace(programme, golden=lambda _size, drawn=drawn: drawn)
        if refused:
            with pytest.raises(RuntimeError, match="not to be released"):
                release_classes.golden_cases(told, tmp_path, run / "export", tiers, 112, 0.05)
        else:
            (case,) = release_classes.golden_cases(told, tmp_path, run / "export", tiers, 112, 0.05)
            assert case["class"] == {"light": named_class}
            assert case["probability"]["light"] == pytest.approx(probability.max(), abs=0.02)


@pytest.mark.parametrize(
    ("refused", "answered", "limit"),
    [(0.0, 0.0, 0.3), (0.5, 0.0, 0.61), (1.0, 0.0, 0.71), (1.0, 0.75, 0.5), (0.5, 0.5, 0.61), (1.0, 1.0, 0.4)],
)
def test_the_limit_refuses_every_kind_of_stranger_as_far_as_leaves_allow(
    refused: float, answered: float, limit: float
) -> None:
    from models.lab.release_classes import limit_for

    known = [np.array([0.4, 0.5]), np.array([0.65, 0.8, 0.9, 0.9])]
    strange = [np.array([0.2, 0.4]), np.array([0.6, 0.7])]
    assert limit_for(refused, answered, known, strange) == limit


def test_figures_count_what_is_said() -> None:
    from models.lab.evaluate_classes import Said, figures

    probability = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.4, 0.3, 0.3], [0.0, 0.1, 0.9]])
    said = Said(np.array([0, 0, 1, 2]), probability, ["lab", "field", "field", "lab"])
    found = figures(said, ("a", "b", "well"), "well", 0.5)
    assert (found["accuracy"], found["answered"], found["accuracy_answered"]) == (0.5, 0.75, 0.6667)
    assert found["recall"] == {"a": 0.5, "b": 0.0, "well": 1.0}
    assert found["confusion"] == [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert (found["sick_called_healthy"], found["healthy_called_sick"]) == (0.0, 0.0)
    assert found["accuracy_low"] <= 0.5 <= found["accuracy_high"]
    assert figures(said.of("field"), ("a", "b", "well"), "well", 0.5)["recall"]["well"] is None


def test_pictures_from_the_field_are_unsqueezed_and_learnt_from_three_squares(leaves: Path) -> None:
    from models.lab import data
    from models.lab.programme import named

    programme = named("maize")
    rows = data.labelled(leaves, "train")
    wide = next(row for row in rows if row["orig_size"] == "600x300")
    image = programme.picture(leaves / "images" / wide["image"], wide)
    assert image.size == (224, 112)
    assert [programme.field(image, place).left for place in programme.windows(wide)] == [0, 56, 112]
    assert programme.field(image, 0.5).bounds == (56, 0, 168, 112)
    found = data.load(programme, leaves, "train", 64)
    assert found.source.count("PlantDoc") == 3 * 4
    assert found.source.count("PlantVillage") == 36
    np.testing.assert_array_equal(found.targets.sum(axis=0), [12, 12, 12, 12])


def test_black_surroundings_are_replaced_and_dark_signs_are_not() -> None:
    from models.maize.programme import grounded

    leaf = np.full((64, 64, 3), 120, np.uint8)
    leaf[:, :16] = 0  # cut away by the publisher
    leaf[30:34, 40:44] = 0  # a dark spot on the leaf
    found = grounded(leaf, np.random.default_rng(1))
    assert found[:, :14].min() > 0
    np.testing.assert_array_equal(found[:, 24:], leaf[:, 24:])
    leaf[:, :16] = 120
    np.testing.assert_array_equal(grounded(leaf, np.random.default_rng(1)), leaf)


def test_what_belongs_to_no_class_pulls_to_none() -> None:
    from models.lab.head import Classes

    head = Classes(CLASSES, healthy="Healthy")
    even, sure = torch.zeros(1, 4), torch.tensor([[6.0, 0.0, 0.0, 0.0]])
    unknown = torch.tensor([head.unknown])
    assert head.loss(even, unknown) < head.loss(sure, unknown)
    assert head.divergence(sure, sure).item() == pytest.approx(0, abs=1e-6)
    assert head.divergence(even, sure).item() > 0.5
    with pytest.raises(ValueError, match="none of"):
        head.target({"label": "Armyworm"})


def test_the_temperature_of_classes_undoes_overconfidence() -> None:
    from models.lab.limits import softmax, temperature_of_classes

    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, (4000, 4))
    classes = np.array([rng.choice(4, p=row) for row in softmax(logits)])
    assert temperature_of_classes(3 * logits, classes, np.ones(4000)) == pytest.approx(3, rel=0.12)
    both, twice = np.concatenate([logits, 3 * logits]), np.tile(classes, 2)
    assert temperature_of_classes(both, twice, np.repeat([0.0, 1.0], 4000)) == pytest.approx(3, rel=0.12)
    assert temperature_of_classes(both, twice, np.repeat([1.0, 0.0], 4000)) == pytest.approx(1, rel=0.12)


def test_the_release_fits_its_budget_and_says_what_it_said() -> None:
    """The shipped graphs on their drawn golden cases, by the lab's reader."""
    from models.lab.evaluate_classes import Reader
    from models.lab.programme import named

    manifest = json.loads((MAIZE / "manifest.json").read_text())
    assert manifest["kind"] == "classes"
    assert tuple(manifest["classes"]) == CLASSES
    assert list(manifest["tiers"]) == list(BUDGET)
    assert {name for case in manifest["golden"] for name in case["class"].values()} == {*CLASSES, None}
    for name, tier in manifest["tiers"].items():
        assert tier["bytes"] == (MAIZE / tier["file"]).stat().st_size <= BUDGET[name]
        reader = Reader(MAIZE.parent, named("maize"), name)
        for case in manifest["golden"]:
            with Image.open(MAIZE / case["file"]) as image:
                probability = reader.read(image.convert("RGB"))
            top = float(probability.max())
            said = CLASSES[int(probability.argmax())] if top >= tier["abstain_below"] else None
            assert said == case["class"][name], (name, case["file"])
            assert top == pytest.approx(case["probability"][name], abs=manifest["tolerance"])
