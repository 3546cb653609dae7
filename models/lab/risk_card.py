"""The symptom model's card, written from what `models.lab.risk` measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS = {"logistic": "logistic regression", "forest": "random forest", "boosted": "gradient-boosted trees"}


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """`models/risk/README.md`."""
    tier, rows, nested, settings = manifest["tiers"]["full"], metrics["rows"], metrics["nested"], metrics["settings"]
    compared = "\n".join(
        f"| {_KINDS[name]} | {found['auc']:.3f} ± {found['deviation']:.3f} |"
        for name, found in metrics["candidates"].items()
    )
    otherwise = metrics["otherwise"]
    ages = manifest["inputs"][0]
    share = rows["positive"] / rows["distinct"]
    formula = f"sigmoid({tier['slope']} × logit p {tier['intercept']:+})"
    inputs = "\n".join(f"| `{each['name']}` | {each['meaning']} |" for each in manifest["inputs"])
    return f"""# {manifest["name"]} {manifest["version"]}

Says whether age and fourteen yes/no symptoms call for a **blood-sugar test**. For a health worker who has nothing but
questions. It is no diagnosis, has not been validated in any clinic, and is no registered medical device.

At a clinic without a laboratory the FINDRISC points decide who is sent for a test; this model stands beside them and
can only add a test, never take one away. Neither says anything about the eyes: whoever has diabetes needs them
photographed, whatever was answered here.

This page is written by `python -m models.lab.risk`; change the figures by measuring again.

| | |
|---|---|
| file | `{tier["file"]}`, {tier["bytes"]:,} bytes |
| sha256 | `{tier["sha256"]}` |
| model | {_KINDS[metrics["chosen"]]} |
| reads | `answers` float32 [n, {len(manifest["inputs"])}], in the order below |
| gives | `probabilities` [n, 2]; p is the second, held within 0.01–0.99 |
| probability | {formula} |
| threshold | {tier["threshold"]}: a test is advised from there; {settings["sensitivity"]:.0%} sensitivity out of fold |

## Where the data come from

Early Stage Diabetes Risk Prediction, UCI Machine Learning Repository, CC BY 4.0; M. M. F. Islam, R. Ferdousi,
S. Rahman, H. Y. Bushra: *Likelihood Prediction of Diabetes at Early Stage Using Data Mining Techniques*, 2020.
Questionnaires of 520 patients of a hospital in Sylhet, Bangladesh: people whose diabetes was newly diagnosed, and
people who came with symptoms and turned out to have none. 320 of the 520 rows (0.62) are positive.

Only {rows["distinct"]} rows are distinct, {rows["positive"]} of them ({share:.2f}) positive. The others were
removed before anything else; some may be two people with the same answers, which nobody can tell now. Rows with equal
symptoms and another age stayed on one side of every split.

## Figures

{settings["folds"]}-fold cross-validation, {settings["repeats"]} times. Calibration and threshold were fitted inside the
training folds, so each figure is about rows that nothing had seen. 95 % intervals from
{settings["resamples"]:,} resamples of whole groups.

| figure | value |
|---|---|
| AUC | {_with_interval(nested["auc"])} |
| sensitivity | {_with_interval(nested["sensitivity"])} |
| specificity | {_with_interval(nested["specificity"])} |
| sensitivity among women | {_with_interval(nested["women"]["sensitivity"])} |
| specificity among women | {_with_interval(nested["women"]["specificity"])} |
| sensitivity among men | {_with_interval(nested["men"]["sensitivity"])} |
| specificity among men | {_with_interval(nested["men"]["specificity"])} |
| Brier score | {_with_interval(nested["brier"])} |
| expected calibration error | {nested["ece"]:.3f} |

| compared | AUC, mean ± deviation over the repeats |
|---|---|
{compared}

Chosen: the {_KINDS[metrics["chosen"]]}. The rule: the simplest whose mean lies within one deviation of the best.

**What repeats would have pretended.** With the repeated rows left in, as most papers on this table do, the same model
reaches AUC {otherwise["repeated_rows_kept"]:.3f}. With near repeats on both sides of a split it reaches
{otherwise["near_repeats_on_both_sides"]:.3f}. Neither is a finding about people.

**Why sex is not asked.** It would lift the AUC to {otherwise["with_sex"]:.3f}, because only {rows["women_without"]} of
the {rows["distinct"] - rows["men"]} women in the table have no diabetes. That is who came to one hospital, not biology:
a model that knows the sex gives a woman of 45 without one symptom {otherwise["woman_without_symptoms"]:.2f}, a man
{otherwise["man_without_symptoms"]:.2f}.

## What it cannot say

- Whether somebody in the general population has diabetes. The table is a hospital's case mix, with two thirds positive;
  where one in twenty is, a probability of 0.5 here means far less, and most tests advised will be normal. Only the
  ranking may carry over, and that too is unproven.
- Anything about Kenya, or anyone outside Sylhet: it was not validated there.
- Anything about diabetes without symptoms, which is most of it, or in children and pregnancy.
- Anything about the eyes.
- That somebody is well. The answers are only "test advised" and "these answers do not advise one", and the second
  never rules a disease out.

How the questions were put in Sylhet was not published; asked in another language they may mean something else.

## Inputs

Every one is needed: the model has never seen a blank.

| name | meaning |
|---|---|
{inputs}

Ages outside {ages["low"]} to {ages["high"]} are refused: there was nobody to learn from.
"""


def _with_interval(figure: list[float]) -> str:
    value, low, high = figure
    return f"{value:.3f} ({low:.3f}–{high:.3f})"
