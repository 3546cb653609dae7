"""The figures a release is judged by, on folders small enough to count by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.dr import phantom
from services.inference.engine import Engine
from services.inference.evaluate import Case, auc, auc_interval, calibration_error, evaluate, figures

MODELS = Path(__file__).resolve().parents[3] / "models"
KEYS = {
    "n", "positives", "auc", "auc_low", "auc_high", "sensitivity", "specificity", "gradable", "ece", "by_source",
}  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(MODELS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four drawn retinas and a grey card, one of them beside the table and not in images/."""
    (tmp_path / "images").mkdir()
    rows = [("a.jpg", 0, "val", "left"), ("b.jpg", 2, "val", "left"), ("c.jpg", 0, "test", "right"),
            ("d.jpg", 4, "test", "right"), ("e.jpg", 3, "test", "right")]  # fmt: skip
    for seed, (name, grade, _, _) in enumerate(rows):
        where = tmp_path if name == "a.jpg" else tmp_path / "images"
        image = Image.new("RGB", (300, 300), "grey") if name == "e.jpg" else phantom.draw(seed + 21, 400, grade > 1)
        image.save(where / name, quality=90)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "grade", "split", "source"])
        table.writerows(rows)
    return tmp_path


def test_a_small_folder(folder: Path, engine: Engine) -> None:
    found = evaluate(folder, engine)
    assert set(found) >= KEYS
    assert (found["n"], found["positives"], found["gradable"]) == (5, 3, 0.8)
    assert found["auc"] == found["auc_low"] == found["auc_high"] == 1.0
    assert found["sensitivity"] == found["specificity"] == 1.0
    assert found["sensitivity_all"] == 1.0
    assert set(found["by_source"]) == {"left", "right"}
    assert found["by_source"]["right"]["n"] == 3


def test_one_split(folder: Path, engine: Engine) -> None:
    assert evaluate(folder, engine, "val")["n"] == 2
    with pytest.raises(ValueError, match="no photograph in split 'holdout'"):
        evaluate(folder, engine, "holdout")


def test_split_and_source_may_be_missing(folder: Path, engine: Engine) -> None:
    (folder / "labels.csv").write_text("image,grade\nb.jpg,2\nc.jpg,0\n")
    assert set(evaluate(folder, engine)["by_source"]) == {"all"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("image,label\nb.jpg,1\n", "no column grade"),
        ("image,grade\n", "no column"),
        ("image,grade\nz.jpg,1\n", "z.jpg"),
    ],
)
def test_a_bad_folder_says_what_is_wrong(folder: Path, engine: Engine, table: str, said: str) -> None:
    (folder / "labels.csv").write_text(table)
    with pytest.raises(ValueError, match=said):
        evaluate(folder, engine)


def test_no_table_at_all(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"no labels\.csv"):
        evaluate(tmp_path, engine)


def test_figures_counted_by_hand() -> None:
    cases = [Case("", "", grade, risk) for grade, risk in
             [(0, 0.1), (1, 0.6), (0, 0.2), (2, 0.7), (3, 0.15), (4, None), (0, None)]]  # fmt: skip
    found = figures(cases, 0.5)
    assert found["n"] == 7
    assert found["positives"] == 3
    assert found["sensitivity"] == 0.5
    assert found["specificity"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["sensitivity_all"] == pytest.approx(2 / 3, abs=1e-4)  # the ungradable eye is referred
    assert found["specificity_all"] == 0.5
    assert found["gradable"] == pytest.approx(5 / 7, abs=1e-4)
    assert found["auc"] == pytest.approx(4 / 6, abs=1e-4)


def test_figures_without_one_class_are_none() -> None:
    found = figures([Case("", "", 0, 0.1), Case("", "", 0, 0.9)], 0.5)
    assert found["auc"] is None
    assert found["auc_low"] is None
    assert found["sensitivity"] is None
    assert found["specificity"] == 0.5


@pytest.mark.parametrize(
    ("positive", "score", "area"),
    [
        ([1, 0], [0.9, 0.1], 1.0),
        ([1, 0], [0.1, 0.9], 0.0),
        ([1, 0], [0.5, 0.5], 0.5),
        ([1, 1, 0, 0], [4, 2, 3, 1], 0.75),
    ],
)
def test_auc(positive: list[int], score: list[float], area: float) -> None:
    assert auc(np.array(positive, dtype=bool), np.array(score)) == area


def test_the_interval_holds_the_area_and_narrows_with_more() -> None:
    rng = np.random.default_rng(0)

    def interval(n: int) -> tuple[float, float, float]:
        positive = np.arange(n) % 2 == 0
        score = rng.normal(0, 1, n) + positive
        low, high = auc_interval(positive, score)
        return low, auc(positive, score), high

    low, middle, high = interval(100)
    assert low < middle < high
    lower, _, higher = interval(2000)
    assert higher - lower < (high - low) / 2


def test_calibration_error() -> None:
    positive = np.array([True, True, False, False])
    assert calibration_error(positive, np.array([1.0, 1.0, 0.0, 0.0])) == 0
    assert calibration_error(positive, np.array([0.0, 0.0, 1.0, 1.0])) == 1
    assert calibration_error(positive, np.full(4, 0.7)) == pytest.approx(0.2)
