"""Train and release the symptom model: do these answers call for a blood-sugar test?

    python -m models.lab.risk

Reads the early-stage diabetes symptom table (Islam et al. 2020, UCI, CC BY 4.0), compares three kinds of model by
repeated cross-validation, calibrates the chosen one, freezes its threshold, writes `models/risk/`, prints the figures.

Rows that are equal are one row: 269 of 520 repeat another. Rows that differ in nothing but age or sex stay on one side
of every split: their classes agree nearly always.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from skl2onnx import to_onnx  # type: ignore[import-not-found]
from skl2onnx.common.data_types import FloatTensorType  # type: ignore[import-not-found]
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.lab.data import shared
from models.lab.limits import Bools, threshold_for
from models.lab.risk_card import card
from models.lab.risk_table import SYMPTOMS, Floats, Table, load
from models.lab.settings import read
from services.inference.evaluate import auc, calibration_error
from services.inference.risk import calibrated, logit

# No symptom; the two that weigh most; all; and two in between, to be asked again of every model that is to serve.
GOLDEN: tuple[tuple[int, tuple[str, ...]], ...] = (
    (30, ()),
    (45, ("polyuria", "polydipsia")),
    (60, tuple(name for _, name, _ in SYMPTOMS)),
    (52, ("itching", "stiffness", "obesity")),
    (38, ("weakness", "polyphagia", "blurred-vision")),
)


@dataclass
class Settings:
    table: str = ""  # default: risk/early_stage_diabetes.csv of the shared data
    out: str = str(Path(__file__).resolve().parents[1] / "risk")
    version: str = "0.1.0"
    sensitivity: float = 0.95  # out of fold, where the threshold is frozen: a test strip is cheap, a missed case is not
    folds: int = 5
    repeats: int = 10
    trees: int = 40
    leaf: int = 2  # rows, the least in a leaf of the forest
    tries: int = 4  # inputs tried at a split of the forest
    stages: int = 100  # of the boosted trees, each two questions deep
    ridge: float = 0.3  # inverse penalty of the logistic regression
    resamples: int = 1000
    tolerance: float = 0.001  # of a golden case's probability, between processors
    seed: int = 1


def candidates(settings: Settings) -> dict[str, ClassifierMixin]:
    """What is compared, the simplest first."""
    return {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=settings.ridge, max_iter=1000)),
        "forest": RandomForestClassifier(
            settings.trees, min_samples_leaf=settings.leaf, max_features=settings.tries, random_state=settings.seed
        ),
        "boosted": GradientBoostingClassifier(
            n_estimators=settings.stages, max_depth=2, subsample=0.7, random_state=settings.seed
        ),
    }


def out_of_fold(model: ClassifierMixin, answers: Floats, positive: Bools, group: Any, folds: int, seed: int) -> Floats:
    """Each row's probability [n] from a model that saw neither it nor its group."""
    found = np.zeros(len(positive))
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(answers, positive, group):
        found[test] = clone(model).fit(answers[train], positive[train]).predict_proba(answers[test])[:, 1]
    return found


def repeated(model: ClassifierMixin, table: Table, settings: Settings, answers: Floats | None = None) -> Floats:
    """Out-of-fold probabilities [repeats, n] over differently drawn folds."""
    values = table.answers if answers is None else answers
    return np.array(
        [
            out_of_fold(model, values, table.positive, table.group, settings.folds, settings.seed + repeat)
            for repeat in range(settings.repeats)
        ]
    )


def choose(areas: dict[str, list[float]]) -> str:
    """The rule: the simplest candidate whose mean AUC lies within one standard deviation of the best one's, taken over
    the repeats of that best one."""
    best = max(areas, key=lambda name: float(np.mean(areas[name])))
    least = np.mean(areas[best]) - np.std(areas[best])
    return next(name for name in areas if np.mean(areas[name]) >= least)


def calibration(probability: Floats, positive: Bools) -> tuple[float, float]:
    """Platt's slope and intercept on the logit of out-of-fold probabilities."""
    fitted = LogisticRegression(C=1e6).fit(logit(probability)[:, None], positive)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def nested(model: ClassifierMixin, table: Table, settings: Settings) -> tuple[Floats, Bools]:
    """Calibrated probabilities and verdicts [repeats, n] when slope, intercept and threshold, too, come from the
    other folds only: what the whole procedure is worth on rows it has not seen."""
    probability = np.zeros((settings.repeats, len(table.positive)))
    advised = np.zeros(probability.shape, dtype=bool)
    for repeat in range(settings.repeats):
        outer = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed + repeat)
        for train, test in outer.split(table.answers, table.positive, table.group):
            answers, positive = table.answers[train], table.positive[train]
            inner = out_of_fold(model, answers, positive, table.group[train], settings.folds, settings.seed)
            slope, intercept = calibration(inner, positive)
            limit = threshold_for(settings.sensitivity, calibrated(inner, slope, intercept), positive)
            raw = clone(model).fit(answers, positive).predict_proba(table.answers[test])[:, 1]
            probability[repeat, test] = calibrated(raw, slope, intercept)
            advised[repeat, test] = probability[repeat, test] >= limit
    return probability, advised


def interval(figure: Callable[[NDArray[np.int64]], float], group: NDArray[np.int64], settings: Settings) -> list[float]:
    """A figure of chosen rows with its 95 % bootstrap interval: `[value, low, high]`. Groups are resampled whole."""
    rng = np.random.default_rng(settings.seed)
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    values = [
        figure(np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))]))
        for _ in range(settings.resamples)
    ]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return [round(float(value), 4) for value in (figure(np.arange(len(group))), low, high)]


def measure(model: ClassifierMixin, table: Table, settings: Settings) -> dict[str, Any]:
    """The nested figures, each `[value, low, high]`, averaged over the repeats."""
    probability, advised = nested(model, table, settings)
    positive = table.positive

    def share(among: Bools, wanted: bool) -> list[float]:
        right = (advised == wanted).mean(axis=0)
        return interval(
            lambda at: float(right[at][among[at]].mean()) if among[at].any() else math.nan, table.group, settings
        )

    def sides(among: Bools) -> dict[str, list[float]]:
        return {"sensitivity": share(positive & among, True), "specificity": share(~positive & among, False)}

    areas = interval(lambda at: float(np.mean([auc(positive[at], p[at]) for p in probability])), table.group, settings)
    return {
        "auc": areas,
        **{name: sides(among) for name, among in (("women", ~table.male), ("men", table.male))},
        **sides(np.ones(len(positive), dtype=bool)),
        "brier": interval(lambda at: float(((probability[:, at] - positive[at]) ** 2).mean()), table.group, settings),
        "ece": round(float(np.mean([calibration_error(positive, p) for p in probability])), 4),
    }


def comparisons(model: ClassifierMixin, path: Path, table: Table, settings: Settings) -> dict[str, float]:
    """AUC of the chosen model under other choices: sex as an input, no care for near repeats, repeated rows kept; and
    the first one's probability for a woman and a man of 45 without any symptom."""
    ungrouped = Table(table.answers, table.positive, table.male, np.arange(len(table.positive)))
    every = load(path, distinct=False)
    every.group = np.arange(len(every.positive))

    def area(of: Table, answers: Floats | None = None) -> float:
        return round(float(np.mean([auc(of.positive, p) for p in repeated(model, of, settings, answers)])), 4)

    with_sex = np.column_stack([table.answers, table.male])
    well = np.array([[45, *[0] * len(SYMPTOMS), male] for male in (False, True)])
    woman, man = clone(model).fit(with_sex, table.positive).predict_proba(well)[:, 1]
    return {
        "with_sex": area(table, with_sex),
        "woman_without_symptoms": round(float(woman), 4),
        "man_without_symptoms": round(float(man), 4),
        "near_repeats_on_both_sides": area(ungrouped),
        "repeated_rows_kept": area(every),
    }


def export(model: ClassifierMixin, table: Table) -> bytes:
    """The fitted model as ONNX: `answers` float32 [n, 15] to `probabilities` [n, 2]. Raises RuntimeError when ONNX
    Runtime says otherwise than scikit-learn."""
    graph = to_onnx(
        model,
        initial_types=[("answers", FloatTensorType([None, table.answers.shape[1]]))],
        options={"zipmap": False},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    content: bytes = graph.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"answers": table.answers.astype(np.float32)})
    furthest = float(np.abs(found - model.predict_proba(table.answers)).max())
    if furthest > 1e-5:
        raise RuntimeError(f"ONNX Runtime is {furthest:.2g} away from scikit-learn")
    return content


def golden(model: ClassifierMixin, slope: float, intercept: float, threshold: float) -> list[dict[str, Any]]:
    """The cases with what the model says to them. Raises RuntimeError when it advises a test to somebody young without
    any symptom, or none to somebody old with all."""
    cases = []
    for age, present in GOLDEN:
        row = np.array([[age, *(name in present for _, name, _ in SYMPTOMS)]], dtype=float)
        probability = float(calibrated(model.predict_proba(row)[:, 1], slope, intercept)[0])
        cases.append(
            {
                "age": age,
                "symptoms": list(present),
                "probability": round(probability, 4),
                "advised": probability >= threshold,
            }
        )
    if cases[0]["advised"] or not cases[2]["advised"]:
        raise RuntimeError(f"not to be released: {cases}")
    return cases


def main(settings: Settings) -> dict[str, Any]:
    path = Path(settings.table) if settings.table else shared() / "risk" / "early_stage_diabetes.csv"
    table = load(path)
    models = candidates(settings)
    scores = {name: repeated(model, table, settings) for name, model in models.items()}
    areas = {name: [auc(table.positive, p) for p in score] for name, score in scores.items()}
    chosen = choose(areas)

    # Frozen on all repeats together: one draw of the folds would move the threshold by chance.
    pooled, positive = scores[chosen].ravel(), np.tile(table.positive, settings.repeats)
    slope, intercept = (round(value, 4) for value in calibration(pooled, positive))
    threshold = round(threshold_for(settings.sensitivity, calibrated(pooled, slope, intercept), positive), 4)
    model = clone(models[chosen]).fit(table.answers, table.positive)
    content = export(model, table)
    ages = table.answers[:, 0]

    metrics: dict[str, Any] = {
        "rows": {"distinct": len(table.positive), "positive": int(table.positive.sum()), "men": int(table.male.sum()),
                 "women_without": int((~table.positive & ~table.male).sum())},
        "candidates": {name: {"auc": round(float(np.mean(a)), 4), "deviation": round(float(np.std(a)), 4)}
                       for name, a in areas.items()},
        "chosen": chosen,
        "nested": measure(models[chosen], table, settings),
        "otherwise": comparisons(models[chosen], path, table, settings),
        "settings": {name: value for name, value in asdict(settings).items() if name not in ("table", "out")},
    }  # fmt: skip
    manifest = {
        "format": 1,
        "programme": "risk",
        "name": "jicho-symptoms",
        "version": settings.version,
        "tiers": {
            "full": {
                "file": "risk.onnx",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "slope": slope,
                "intercept": intercept,
                "threshold": threshold,
                "metrics": {name: metrics["nested"][name] for name in ("auc", "sensitivity", "specificity")},
            }
        },
        "inputs": [
            {"name": "age", "meaning": "age in years", "low": int(ages.min()), "high": int(ages.max())},
            *({"name": name, "meaning": f"1 if the person {yes}", "low": 0, "high": 1} for _, name, yes in SYMPTOMS),
        ],
        "golden": golden(model, slope, intercept, threshold),
        "tolerance": settings.tolerance,
    }
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "risk.onnx").write_bytes(content)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (out / "README.md").write_text(card(manifest, metrics), encoding="utf-8")
    return {"threshold": threshold, "bytes": len(content), **metrics}


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
