"""The card of the retinopathy models, from the manifest, the metrics, the table of formats and the log of looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.lab.card import SPLITS, percent


def area(found: dict[str, Any]) -> str:
    if found["auc"] is None:
        return "–"
    return f"{found['auc']:.3f} ({found['auc_low']:.3f}–{found['auc_high']:.3f})"


def figures_table(measured: dict[str, Any]) -> str:
    rows = [
        "| tier | split | source | n | referable | gradable | AUC (95 % bootstrap) | sensitivity | specificity "
        "| doubtful | ECE |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, splits in measured.items():
        for split in SPLITS:
            if split not in splits:
                continue
            groups = {"all": splits[split]} | (splits[split]["by_source"] if name == "full" else {})
            for source, found in groups.items():
                rows.append(
                    f"| {name} | {split} | {source} | {found['n']} | {found['positives']} | "
                    f"{percent(found['gradable'])} | {area(found)} | {percent(found['sensitivity'])} | "
                    f"{percent(found['specificity'])} | {percent(found['doubtful'])} | {found['ece']:.3f} |"
                )
    return "\n".join(rows)


def carriage_table(measured: dict[str, Any]) -> str:
    rows = [
        "| split | width | file at most | median size | gradable | AUC | sensitivity | specificity |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for split in SPLITS:
        for found in measured.get(split, {}).get("carried", []):
            rows.append(
                f"| {split} | {found['side']} px | {found['limit'] / 1000:.0f} KB | "
                f"{found['median_bytes'] / 1000:.0f} KB | {percent(found['gradable'])} | {area(found)} | "
                f"{percent(found['sensitivity'])} | {percent(found['specificity'])} |"
            )
    return "\n".join(rows)


def tiers_table(tiers: dict[str, Any]) -> str:
    rows = [
        "| tier | file | bytes | float32 | reads | views | temperature | doubtful from | refers from | oedema from |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | `{tier['file']}` | {tier['bytes']:,} | {tier['metrics']['float32_bytes']:,} "
        f"| uint8 [1, {tier['size']}, {tier['size']}, 3] | {tier['views']} | {tier['temperature']} | {tier['doubt']} "
        f"| {tier['threshold']} | {tier['oedema']['threshold']} |"
        for name, tier in tiers.items()
    ]
    return "\n".join(rows)


def formats_table(report: dict[str, Any]) -> str:
    split = "test" if "test" in report["rows"][0] else "val"
    rows = [
        f"| model | file | gzip | median ms | peak MB | AUC val | AUC {split} (95 % bootstrap) | sensitivity "
        "| specificity | ECE |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        found = row[split]
        rows.append(
            f"| {row['says']} | {row['bytes']:,} | {row['gzip_bytes']:,} | {row['p50_ms']} | {row['peak_mb']} "
            f"| {row['val']['auc']:.3f} | {area(found)} | {percent(found['sensitivity'])} "
            f"| {percent(found['specificity'])} | {found['ece']:.3f} |"
        )
    return "\n".join(rows)


def curve_table(report: dict[str, Any]) -> str:
    rows = ["| share of the training photographs | AUC val |", "|---|---|"]
    rows += [f"| {point['share']:.0%} | {point['val_auc']:.3f} |" for point in report["curve"]]
    return "\n".join(rows)


def gate_table(manifest: dict[str, Any]) -> str:
    val, test = manifest["quality_metrics"]["val"], manifest["quality_metrics"]["test"]
    rows = ["| figure | val | test |", "|---|---|---|"]
    rows += [f"| {name.replace('_', ' ')} | {val[name]:.3f} | {test[name]:.3f} |" for name in val]
    return "\n".join(rows)


def looks_table(looks: list[dict[str, Any]]) -> str:
    rows = ["| date | why | model: AUC, sensitivity, specificity |", "|---|---|---|"]
    for look in looks:
        found = "; ".join(
            f"{name}: {of['auc']}, {of['sensitivity']}, {of['specificity']}" for name, of in look["found"].items()
        )
        rows.append(f"| {look['date']} | {look['why']} | {found} |")
    return "\n".join(rows)


def card(folder: Path, manifest: dict[str, Any], metrics: dict[str, Any], looks: list[dict[str, Any]]) -> str:
    """The page."""
    report = json.loads((folder / "report.json").read_text())
    tiers, measured = manifest["tiers"], metrics["tiers"]
    best = measured["full"].get("test") or measured["full"]["val"]
    swollen = {split: measured["full"][split]["oedema_below_grade_2"] for split in SPLITS if split in measured["full"]}
    oedema = "; ".join(f"{split}: {found['referred']} of {found['n']}" for split, found in swollen.items())
    return f"""# {manifest["name"]} {manifest["version"]}

Says of one colour fundus photograph whether it shows *referable* diabetic retinopathy: ICDR grade 2 (moderate
non-proliferative) or more, or suspected macular oedema. For screening under a clinician's responsibility. It is no
diagnosis, has not been validated in any clinic, and is no registered medical device.

This page is written by `python -m models.lab.card`; change the figures by measuring again.

{tiers_table(tiers)}

- A graph reads the square of `services/inference/preprocess.py`; the contrast filter is part of it. It gives five
  logits, P(grade ≥ 1) … P(grade ≥ 4) and macular oedema, and `map`, where the referable logit comes from.
- Logits are averaged over so many mirrored views, divided by the temperature, and put through a sigmoid. From the
  threshold on the eye is referred; from the doubtful value up to it the photograph is taken again, and a second
  doubtful one refers. The oedema output refers on its own.
- Temperature, thresholds and doubt are each tier's own, frozen on val: 92 % sensitivity for retinopathy, 98.5 %
  specificity for oedema. A tier that has to call more than 30 % of the healthy for that is not shipped.
- `full` is EfficientNet-Lite0 without its last 192-channel block and with a 640-channel head, taught by itself and by
  an EfficientNet-Lite2, and then averaged with what it was before. `medium` is its first thirteen blocks and `light`
  its first nine, each with a smaller head and trained on. Pruned of channels instead, it lost more (see Formats).
- They learnt with a Gaussian in their contrast filter. Since 0.3.0 its taps are 64ths next to it, so that all runtimes
  compute the same; everything was frozen anew on val, nothing was trained again.

## Figures

As the product reads them, over the photographs that the quality gate lets through; intervals from 1,000 resamples.
Everything was chosen on val, so the val rows flatter; the test rows are the claim.

{figures_table(measured)}

For `full`, with every ungradable photograph counted as referred, as happens to the patient after a second attempt:
sensitivity {percent(best["sensitivity_all"])}, specificity {percent(best["specificity_all"])}. Macular oedema with a
grade below 2, which the rules also refer, was referred or sent back in {oedema}.

## Formats

One view of the square, one thread of {report["processor"]}; each row's temperature and threshold are frozen on val.
Written by `python -m models.lab.report` for release 0.2.0, whose contrast filter was the Gaussian itself; the three
int8 graphs shipped since differ from theirs in its taps only.

![AUC against file size](formats.svg)

{formats_table(report)}

- int8 static is what this processor is fast at. Dynamic int8 measures every activation anew and is slower than float32.
- float16, int4 and binary are unpacked to float32 when the file is loaded or as it runs: they save bytes, never time.
- Zeros save nothing until the file is compressed: the runtime multiplies by them like by any number.
- Binary weights without training for them say nothing any more, and four bits a weight lose much.

### More photographs, rather than another trick

`light` from ImageNet weights at 192 px, as many steps each time, from labels alone, on shares of the photographs:

{curve_table(report)}

What was tried to get more out of these is told in `models/lab/README.md`.

### As messengers deliver it

Each photograph enlarged to the width at which messengers send it, and saved as the best JPEG of at most so many bytes;
the last rows are small pictures. The rows are of release 0.2.0.

{carriage_table(measured["full"])}

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
| APTOS 2019 (Kaggle) | first training; a quarter of the Lite2 teacher's batches | research only, no redistribution |
| IDRiD (Porwal, Pachade, Kokare 2018) | training, val, test | CC BY 4.0 |
| SRahim (Rahim 2025) | training, val, test | free for academic purposes with attribution |
| EyeQ (Fu et al. 2019) | labels for the quality gate | CC BY-NC-SA 4.0 |
| PlantVillage, PlantDoc | pictures that are no retina | CC BY-SA 3.0, CC BY 4.0 |
| EfficientNet-Lite0 and -Lite2, ImageNet weights | start of training | Apache 2.0; ImageNet is for research |

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
