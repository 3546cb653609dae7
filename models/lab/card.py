"""Write models/dr/README.md, the model card, from the manifest, the metrics and the log of looks at the test split.

python -m models.lab.card
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.lab.settings import read

MODELS = Path(__file__).resolve().parents[1]


@dataclass
class Settings:
    models: str = str(MODELS)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def area(found: dict[str, Any]) -> str:
    if found["auc"] is None:
        return "–"
    return f"{found['auc']:.3f} ({found['auc_low']:.3f}–{found['auc_high']:.3f})"


def figures_table(metrics: dict[str, Any]) -> str:
    rows = [
        "| split | source | n | referable | gradable | AUC (95 % bootstrap) | sensitivity | specificity | ECE |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for split in ("val", "test"):
        if split not in metrics:
            continue
        for source, found in {"all": metrics[split], **metrics[split]["by_source"]}.items():
            rows.append(
                f"| {split} | {source} | {found['n']} | {found['positives']} | {percent(found['gradable'])} "
                f"| {area(found)} | {percent(found['sensitivity'])} | {percent(found['specificity'])} "
                f"| {found['ece']:.3f} |"
            )
    return "\n".join(rows)


def carriage_table(metrics: dict[str, Any]) -> str:
    rows = [
        "| split | side | JPEG quality | median size | gradable | AUC | sensitivity | specificity |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for split in ("val", "test"):
        for found in metrics.get(split, {}).get("recompressed", []):
            rows.append(
                f"| {split} | {found['side']} px | {found['jpeg_quality']} | {found['median_bytes'] / 1000:.1f} KB "
                f"| {percent(found['gradable'])} | {area(found)} | {percent(found['sensitivity'])} "
                f"| {percent(found['specificity'])} |"
            )
    return "\n".join(rows)


def gate_table(manifest: dict[str, Any]) -> str:
    val, test = manifest["quality_metrics"]["val"], manifest["quality_metrics"]["test"]
    rows = ["| figure | val | test |", "|---|---|---|"]
    rows += [f"| {name.replace('_', ' ')} | {val[name]:.3f} | {test[name]:.3f} |" for name in val]
    return "\n".join(rows)


def looks_table(looks: list[dict[str, Any]]) -> str:
    rows = ["| date | version | model | AUC | sensitivity | specificity | why |", "|---|---|---|---|---|---|---|"]
    rows += [
        f"| {look['date']} | {look['version']} | `{look['model']}` | {look['auc']} | {look['sensitivity']} "
        f"| {look['specificity']} | {look['why']} |"
        for look in looks
    ]
    return "\n".join(rows)


def card(manifest: dict[str, Any], metrics: dict[str, Any], looks: list[dict[str, Any]]) -> str:
    tier = manifest["tiers"]["full"]
    all_eyes = metrics["test"] if "test" in metrics else metrics["val"]
    swollen = {split: metrics[split]["oedema_below_grade_2"] for split in ("val", "test") if split in metrics}
    oedema = "; ".join(f"{split}: {found['referred']} of {found['n']}" for split, found in swollen.items())
    return f"""# {manifest["name"]} {manifest["version"]}

Says of one colour fundus photograph whether it shows *referable* diabetic retinopathy: ICDR grade 2 (moderate
non-proliferative) or more. For screening under a clinician's responsibility. It is no diagnosis, has not been validated
in any clinic, and is no registered medical device.

This page is written by `python -m models.lab.card`; change the figures by measuring again.

| | |
|---|---|
| file | `{tier["file"]}`, {tier["bytes"]:,} bytes int8 (float32: {tier["metrics"]["float32_bytes"]:,}) |
| sha256 | `{tier["sha256"]}` |
| reads | uint8 [1, {tier["size"]}, {tier["size"]}, 3]: the square of `preprocess.py`; the filter is in the graph |
| gives | five logits: P(grade ≥ 1) … P(grade ≥ 4), macular oedema; number {tier["output"]} is used |
| threshold | {tier["threshold"]} on sigmoid(logit / {tier["temperature"]}), frozen on val at 92 % sensitivity |
| network | EfficientNet-Lite0 without its last 192-channel block, 640-channel head, ReLU6 |

## Figures

Over the photographs that the quality gate lets through; intervals from 1,000 resamples. The epoch, the picture
size, temperature and threshold were chosen on val, so the val rows flatter; the test rows are the claim.

{figures_table(metrics)}

With every ungradable photograph counted as referred, as happens to the patient after a second attempt: sensitivity
{percent(all_eyes["sensitivity_all"])}, specificity {percent(all_eyes["specificity_all"])}. Macular oedema with a grade
below 2, which the rules also refer, was referred or sent back in {oedema}.

### As messengers deliver it

{carriage_table(metrics)}

## Quality gate

Two logistic regressions over fifteen statistics of a 128-pixel copy: is it a retina, is it gradable. Fitted on EyeQ's
labels, on good photographs spoilt by blur, darkness and haze, on maize leaves and on drawn clutter. Shares, but for the
first line:

{gate_table(manifest)}

It stops the grossly bad and lets many doubtful ones pass: seven in ten of EyeQ's rejects are stopped at the price of
one gradable photograph in thirty. `dr reject stopped` rests on about ten photographs a split.

## Data and terms

| source | used for | terms |
|---|---|---|
| EyePACS (Kaggle 2015) | training, val, test, quality gate | research only, no redistribution |
| APTOS 2019 (Kaggle) | first stage of training | research only, no redistribution |
| IDRiD (Porwal, Pachade, Kokare 2018) | training, val, test | CC BY 4.0 |
| SRahim (Rahim 2025) | training, val, test | free for academic purposes with attribution |
| EyeQ (Fu et al. 2019) | labels for the quality gate | CC BY-NC-SA 4.0 |
| PlantVillage, PlantDoc | pictures that are no retina | CC BY-SA 3.0, CC BY 4.0 |
| EfficientNet-Lite0, ImageNet weights | start of training | Apache 2.0; ImageNet is for research |

These terms bear on the weights. **Whoever deploys this model must clear them first.** No photograph is in this folder:
the golden cases are drawn by `phantom.py`, and the model was not trained or tuned on drawings.

## Looks at the test split

{looks_table(looks)}

The quality gate's test figures were printed at three of its four fits while its rules were written; no number in it
was chosen by them, but they are not as fresh as those above. Before this log began, the data's own notes had reported
test figures for a larger network trained by a similar recipe.

## Limits

- Some hundred photographs a source: the intervals are wide, and a difference of 0.01 in AUC means nothing.
- Sources differ in their share of disease, so pooled AUC is helped by telling cameras apart. Read the rows by source.
- Labels are of single graders and of unequal quality; EyePACS photographs are small, and harder for it than the others.
- No photograph comes from Kenya, from a handheld camera or from a telephone adapter. Published handheld drops are 0.09
  in AUC. Watch positivity, the ungradable share and the confidence in use, and have a person look at both kinds.
- Other eye disease is not looked for. A clear reading is not a healthy eye.
- Sensitivity at the frozen threshold is an estimate for these sources, not a promise for another clinic.
"""


def main(settings: Settings) -> Path:
    folder = Path(settings.models) / "dr"
    manifest, metrics, looks = (
        json.loads((folder / name).read_text()) if (folder / name).exists() else {}
        for name in ("manifest.json", "metrics.json", "looks.json")
    )
    if metrics.get("model") != manifest["tiers"]["full"]["sha256"]:
        raise ValueError("metrics.json is of another model: run models.lab.evaluate first")
    path = folder / "README.md"
    path.write_text(card(manifest, metrics, looks or []))
    return path


if __name__ == "__main__":
    print(main(read(Settings)))
