"""The released symptom model: it is whole, it says what it said at release, and it refuses to serve when it is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.inference.manifest import ModelError
from services.inference.risk import RiskModel
from services.screening.engines import MODELS


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return RiskModel(MODELS)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(MODELS / "risk", tmp_path / "risk")
    return tmp_path


def edit(models: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = models / "risk" / "manifest.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


@pytest.mark.parametrize(
    ("age", "symptoms", "advised"),
    [
        (30, [], False),
        (25, ["itching"], False),
        (45, ["polyuria", "polydipsia"], True),
        (60, ["polyuria", "weight-loss", "weakness", "blurred-vision"], True),
    ],
)
def test_what_the_answers_say(model: RiskModel, age: int, symptoms: list[str], advised: bool) -> None:
    found = model.assess(model.answers(age, symptoms))
    assert found.advised == advised == (found.probability >= found.threshold)
    assert 0 < found.probability < 1
    assert (found.name, len(found.sha256)) == ("jicho-symptoms", 64)


def test_each_of_the_two_cardinal_symptoms_raises_the_probability(model: RiskModel) -> None:
    without = model.assess(model.answers(50, ["weakness"])).probability
    for symptom in ("polyuria", "polydipsia"):
        assert model.assess(model.answers(50, ["weakness", symptom])).probability > without


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"age": 15}, "age is 15"),
        ({"age": 91}, "age is 91"),
        ({"itching": 2}, "itching is 2"),
        ({"sex": 1}, "unknown: sex"),
    ],
)
def test_what_the_model_never_saw_is_refused(model: RiskModel, change: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        model.assess(model.answers(50, []) | change)


def test_a_blank_is_refused(model: RiskModel) -> None:
    answers = model.answers(50, [])
    del answers["polyuria"]
    with pytest.raises(ValueError, match="missing or unknown: polyuria"):
        model.assess(answers)


def test_the_file_is_small(model: RiskModel) -> None:
    assert (MODELS / "risk" / "risk.onnx").stat().st_size < 100_000
    assert len(model.inputs) == 15


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda raw: raw.update(format=2), "format 2"),
        (lambda raw: raw.update(programme="dr"), "for 'dr'"),
        (lambda raw: raw.update(golden=[]), "no golden case"),
        (lambda raw: raw["golden"][0].update(probability=0.9), "golden case"),
        (lambda raw: raw["golden"][1].update(advised=False), "golden case"),
        (lambda raw: raw["golden"][0]["symptoms"].append("toothache"), "toothache"),
        (lambda raw: raw["inputs"].pop(), "the manifest names 14"),
        (lambda raw: raw["tiers"]["full"].update(file="../risk.onnx"), "no model of this folder"),
        (lambda raw: raw["tiers"]["full"].update(threshold=1.5), "no model of this folder"),
        (lambda raw: raw["tiers"]["full"].pop("slope"), "slope"),
        (lambda raw: raw["tiers"].clear(), "full"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    copy: Path, change: Callable[[dict[str, Any]], object], fault: str
) -> None:
    edit(copy, change)
    with pytest.raises(ModelError, match=fault):
        RiskModel(copy)


def test_an_altered_or_missing_file_is_refused(copy: Path) -> None:
    path = copy / "risk" / "risk.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ModelError, match="sha256"):
        RiskModel(copy)
    path.unlink()
    with pytest.raises(ModelError, match="No such file"):
        RiskModel(copy)
    with pytest.raises(ModelError, match="FileNotFoundError"):
        RiskModel(copy / "nowhere")


def test_a_file_that_is_no_graph_is_refused(copy: Path) -> None:
    import hashlib

    (copy / "risk" / "risk.onnx").write_bytes(b"no graph")
    edit(copy, lambda raw: raw["tiers"]["full"].update(sha256=hashlib.sha256(b"no graph").hexdigest()))
    with pytest.raises(ModelError, match=r"risk\.onnx"):
        RiskModel(copy)
