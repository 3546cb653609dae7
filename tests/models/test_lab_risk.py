"""The symptom model's step: repeats out first, groups kept together, an honest choice, a release that serves."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the lab's requirements (models/lab/requirements.txt) are not installed")
pytest.importorskip("skl2onnx", reason="the lab's requirements (models/lab/requirements.txt) are not installed")
pytest.importorskip("cv2", reason="the lab's requirements (models/lab/requirements.txt) are not installed")

from models.lab import risk
from models.lab.data import shared
from models.lab.settings import read
from services.inference.risk import RiskModel

TABLE = shared() / "risk" / "early_stage_diabetes.csv"
COLUMNS = ["Age", "Gender", *(column for column, _, _ in risk.SYMPTOMS), "class"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 160 rows whose class follows from two symptoms, but for every twelfth; each tenth row comes twice."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("drawn") / "table.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for number in range(160):
            yes = rng.random(len(risk.SYMPTOMS)) < 0.4
            positive = (yes[0] or yes[1]) != (number % 12 == 0)
            row = [20 + number % 60, "Male" if number % 2 else "Female", *np.where(yes, "Yes", "No")]
            for _ in range(1 + (number % 10 == 0)):
                table.writerow([*row, "Positive" if positive else "Negative"])
    return path


@pytest.fixture(scope="module")
def settings(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> risk.Settings:
    out = tmp_path_factory.mktemp("models") / "risk"
    return risk.Settings(
        table=str(drawn), out=str(out), folds=4, repeats=2, trees=15, stages=20, resamples=50, sensitivity=0.9
    )


@pytest.fixture(scope="module")
def released(settings: risk.Settings) -> dict[str, Any]:
    return risk.main(settings)


def test_an_unknown_setting_raises() -> None:
    assert read(risk.Settings, ["--trees", "7"]).trees == 7
    with pytest.raises(ValueError, match="unknown setting --forest"):
        read(risk.Settings, ["--forest", "7"])


def test_repeated_rows_are_one_row(drawn: Path) -> None:
    assert len(risk.load(drawn, distinct=False).positive) == 176
    assert len(risk.load(drawn).positive) == 160


def test_a_row_that_differs_only_in_age_or_sex_shares_its_group(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rest = ["No"] * (len(risk.SYMPTOMS) - 1)
    rows = [[40, "Male", "Yes", *rest], [41, "Female", "Yes", *rest], [40, "Male", "No", *rest]]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *([*row, "Positive"] for row in rows)])
    table = risk.load(path)
    assert [bool(woman) for woman in ~table.male] == [False, True, False]
    group = table.group
    assert group[0] == group[1] != group[2]


@pytest.mark.parametrize(("column", "answer"), [("Polyuria", "Maybe"), ("Gender", "Other"), ("class", "Unknown")])
def test_an_answer_that_is_none_raises(tmp_path: Path, drawn: Path, column: str, answer: str) -> None:
    with drawn.open() as file:
        rows = list(csv.DictReader(file))
    rows[5][column] = answer
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    with pytest.raises(ValueError, match=answer):
        risk.load(path)


def test_nobody_is_judged_by_a_model_that_saw_the_like(drawn: Path, settings: risk.Settings) -> None:
    table = risk.load(drawn)

    class Spy(risk.LogisticRegression):  # type: ignore[misc]
        def fit(self, answers: Any, positive: Any) -> Any:
            self.seen = {tuple(row[1:]) for row in answers}
            return super().fit(answers, positive)

        def predict_proba(self, answers: Any) -> Any:
            assert not self.seen & {tuple(row[1:]) for row in answers}
            return super().predict_proba(answers)

    doubled = risk.Table(*(np.concatenate([part, part]) for part in vars(table).values()))
    doubled.answers[len(table.positive) :, 0] += 1
    found = risk.out_of_fold(
        Spy(max_iter=1000), doubled.answers, doubled.positive, doubled.group, settings.folds, settings.seed
    )
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(
    ("areas", "chosen"),
    [
        ({"logistic": [0.90, 0.90], "forest": [0.95, 0.97]}, "forest"),
        ({"logistic": [0.95, 0.95], "forest": [0.94, 0.97]}, "logistic"),
        ({"logistic": [0.96, 0.96], "forest": [0.90, 0.91]}, "logistic"),
    ],
)
def test_the_simplest_wins_unless_another_is_clearly_better(areas: dict[str, list[float]], chosen: str) -> None:
    assert risk.choose(areas) == chosen


def test_the_threshold_keeps_its_sensitivity_and_no_more_than_it_must() -> None:
    probability = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    positive = np.array([True, True, False, True, True, False, False, False])
    for wanted, threshold in ((1.0, 0.45), (0.75, 0.55), (0.5, 0.75)):
        assert risk.threshold_for(wanted, probability, positive) == pytest.approx(threshold)


def test_what_is_released_serves_and_says_what_it_is(released: dict[str, Any], settings: risk.Settings) -> None:
    folder = Path(settings.out)
    model = RiskModel(folder.parent)
    assert model.assess(model.answers(50, ["polyuria", "polydipsia"])).advised
    assert not model.assess(model.answers(30, [])).advised
    assert {each.name for each in model.inputs} == {"age", *(name for _, name, _ in risk.SYMPTOMS)}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["nested"] == released["nested"]
    assert released["rows"]["distinct"] == 160
    assert released["nested"]["auc"][0] > 0.8
    low, high = released["nested"]["auc"][1:]
    assert low < released["nested"]["auc"][0] < high
    card = (folder / "README.md").read_text()
    for said in ("Sylhet", "CC BY 4.0", "0.62", "Anything about the eyes", "Kenya", "FINDRISC", "no diagnosis"):
        assert said in card


@pytest.mark.skipif(not TABLE.is_file(), reason="the symptom table (../shared/data/risk) is not here")
def test_of_520_rows_251_are_distinct() -> None:
    table = risk.load(TABLE)
    assert (len(table.positive), int(table.positive.sum())) == (251, 173)
    assert len(risk.load(TABLE, distinct=False).positive) == 520
    assert (table.answers[:, 0].min(), table.answers[:, 0].max()) == (16, 90)
