"""The card of the maize models, from the manifest, the metrics and the log of looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.lab.card import SPLITS, percent
from models.maize.labels import FIELD, LABORATORY


def said(name: str) -> str:
    return name.replace("_", " ").lower()


def tiers_table(tiers: dict[str, Any]) -> str:
    rows = [
        "| tier | file | bytes | float32 | reads | views | temperature | says nothing below |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | `{tier['file']}` | {tier['bytes']:,} | {tier['metrics']['float32_bytes']:,} "
        f"| uint8 [1, {tier['size']}, {tier['size']}, 3] | {tier['views']} | {tier['temperature']} "
        f"| {tier['abstain_below']} |"
        for name, tier in tiers.items()
    ]
    return "\n".join(rows)


def figures_table(measured: dict[str, Any]) -> str:
    rows = [
        "| tier | split | source | n | accuracy (95 % bootstrap) | answered | accuracy of the answers "
        "| sick called healthy | healthy called sick | ECE |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, splits in measured.items():
        for split in SPLITS:
            if split not in splits:
                continue
            for source, found in ({"all": splits[split]} | splits[split]["by_source"]).items():
                rows.append(
                    f"| {name} | {split} | {source} | {found['n']} | {percent(found['accuracy'])} "
                    f"({percent(found['accuracy_low'])}–{percent(found['accuracy_high'])}) "
                    f"| {percent(found['answered'])} | {percent(found['accuracy_answered'])} "
                    f"| {percent(found['sick_called_healthy'])} | {percent(found['healthy_called_sick'])} "
                    f"| {found['ece']:.3f} |"
                )
    return "\n".join(rows)


def recall_table(measured: dict[str, Any], classes: list[str], split: str) -> str:
    rows = [
        f"| tier | source | {' | '.join(map(said, classes))} |",
        f"|---|---|{'---|' * len(classes)}",
    ]
    for name, splits in measured.items():
        for source, found in splits[split]["by_source"].items():
            cells = [
                "–" if found["recall"][each] is None else f"{percent(found['recall'][each])} of {found['counts'][each]}"
                for each in classes
            ]
            rows.append(f"| {name} | {source} | {' | '.join(cells)} |")
    return "\n".join(rows)


def confusion_table(found: dict[str, Any], classes: list[str]) -> str:
    rows = [
        f"| is, down; called, across | {' | '.join(map(said, classes))} |",
        f"|---|{'---|' * len(classes)}",
    ]
    rows += [
        f"| {said(name)} | {' | '.join(map(str, counts))} |"
        for name, counts in zip(classes, found["confusion"], strict=True)
    ]
    return "\n".join(rows)


def strangers_table(measured: dict[str, Any]) -> str:
    columns = [(name, split) for name, splits in measured.items() for split in SPLITS if split in splits]
    rows = [
        f"| what it shows | n val, test | {' | '.join(f'{name} {split}' for name, split in columns)} |",
        f"|---|---|{'---|' * len(columns)}",
    ]
    splits = next(iter(measured.values()))
    for kind in splits[columns[0][1]]["strangers"]:
        counts = ", ".join(str(splits[split]["strangers"][kind]["n"]) for split in SPLITS if split in splits)
        cells = [percent(measured[name][split]["strangers"][kind]["accepted"]) for name, split in columns]
        rows.append(f"| {kind} | {counts} | {' | '.join(cells)} |")
    return "\n".join(rows)


def looks_table(looks: list[dict[str, Any]]) -> str:
    rows = [
        "| date | why | tier: accuracy; of it laboratory, field; answered; accuracy of the answers |",
        "|---|---|---|",
    ]
    for look in looks:
        found = "; ".join(
            f"{name}: {of['accuracy']}; {of['accuracy_by_source'][LABORATORY]}, {of['accuracy_by_source'][FIELD]}; "
            f"{of['answered']}; {of['accuracy_answered']}"
            for name, of in look["found"].items()
        )
        rows.append(f"| {look['date']} | {look['why']} | {found} |")
    return "\n".join(rows)


def card(_folder: Path, manifest: dict[str, Any], metrics: dict[str, Any], looks: list[dict[str, Any]]) -> str:
    """The page."""
    tiers, classes, measured = manifest["tiers"], manifest["classes"], metrics["tiers"]
    last = [split for split in SPLITS if all(split in splits for splits in measured.values())][-1]
    field = measured["full"][last]["by_source"][FIELD]
    return f"""# {manifest["name"]} {manifest["version"]}

Says of one photograph of a maize leaf which of these it shows: {", ".join(map(said, classes))}. When it is not sure
enough it says nothing, and a person is to be asked. A help to whoever advises a farmer, and no more than that.

**It knows three diseases.** Photographs of maize lethal necrosis, of fall armyworm's damage and of deficiencies could
not be had. What it says of such leaves was not measured: expect one of the four names, healthy among them. "Healthy"
means that none of three diseases was seen.

**Judge it by the field rows.** Nine in ten photographs here come from laboratories, where almost any network does well.
Of {field["n"]} photographs from the field in {last}, `full` names {percent(field["accuracy"])} rightly
({percent(field["accuracy_low"])}–{percent(field["accuracy_high"])}), and none of them shows a healthy leaf: how often a
healthy leaf in a field is called sick is not known.

This page is written by `python -m models.lab.card --programme maize`; change the figures by measuring again.

{tiers_table(tiers)}

- A graph reads the largest square in the middle of the picture, without looking for a field of view, brought to its
  size by `square` of `services/inference/preprocess.py`; scaling and normalisation are part of it. It gives a logit for
  each class in the manifest's order, and `map` [1, {len(classes)}, h, w], where each of them comes from.
- Logits are averaged over so many mirrored views, divided by the temperature, and put through a softmax. Below the last
  column the likeliest class is not said.
- Temperature and limit are each tier's own, frozen on val. The field counts as much for the temperature as the
  laboratory, though it has fewer photographs. The limit is the lowest that refuses 90 % of each kind of pictures of
  something else, but none that leaves more than 15 % of the leaves unanswered, both sources counting the same. What it
  does for answers on leaves the columns of answers tell.
- `full` is EfficientNet-Lite0 without its last 192-channel block and with a 640-channel head; `medium` is its first
  thirteen blocks and `light` its first nine, each with a smaller head and taught by `full`. All learnt at 160 pixels.

## Figures

As the product reads them: the JPEG sanitised, its middle square, the int8 graph. Accuracy is of the likeliest class
over all photographs, said or not; the last columns count what is said. 1,000 resamples. Everything was chosen on val;
the test rows are the claim.

{figures_table(measured)}

Recall in {last}, each class by source:

{recall_table(measured, classes, last)}

`full`, {last}, photographs from the field:

{confusion_table(field, classes)}

## In the product

`programme.json` says how the platform uses it: a photograph with the word `maize`, `mahindi` or `oduma` is a question
of whoever sends it. She gets the sentences that stand there for the class, drafts that no agronomist has read yet, and
the photograph is erased. Of who asked nothing is kept but her number, as of everybody who writes; nothing goes to the
hub.

    python app.py screen --programme maize leaf.jpg
    python app.py evaluate --programme maize --data ../shared/data/maize --split test

The second gives the test rows above again: pictures stretched back (`labels.py`), sent as JPEG, sanitised, read.

## Pictures of something else

The share that is named all the same. The network learnt from drawings alone to be unsure of what is no leaf;
photographs of eyes and of everyday things (scikit-image's, scikit-learn's and matplotlib's, whole and in quarters) are
of a kind that it never saw, and are other ones in val than in test.

{strangers_table(measured)}

`light` is too small to tell: it takes other things for leaves far more often, as no limit that still answers would
prevent. Leaves of other plants could not be had: expect them to be named.

## Data and terms

| source | used for | terms |
|---|---|---|
| PlantVillage (Hughes and Salathé 2015) | training, val, test: laboratory | CC BY-SA 3.0 |
| PlantDoc (Singh et al. 2020) | training, val, test: field | CC BY 4.0 |
| IDRiD, SRahim, EyePACS | something else, in val and test; nothing was learnt from them | see `models/dr/README.md` |
| EfficientNet-Lite0, ImageNet weights | start of training | Apache 2.0; ImageNet is for research |

These terms bear on the weights: whoever passes the models on has to name both sources, and has to clear what
"share alike" means for them. No photograph is in this folder: the golden cases are drawn by `phantom.py`, and the model
was not trained or tuned on drawn leaves.

The data set does not say which picture is whose: those of 256 × 256 pixels, as PlantVillage publishes them, are taken
for its own, all others for PlantDoc's. It had squeezed all to squares; they were stretched back to their own
proportions before anything else. Pictures that look alike are on one side of the split.

## Looks at the test split

{looks_table(looks)}

## Limits

- Field photographs are few, found on the web, and mostly of single leaves with strong signs. Whole plants and stands,
  which a few of them show, are its weak side.
- The laboratory's rust lies on black, its blight and grey leaf spot on grey, its healthy leaves in the sun: each class
  has its own background. Black was replaced by drawn grounds while learning, and most views were zoomed into the leaf;
  some of the laboratory figure may still be owed to it.
- In the field the three diseases are taken for one another. Some of PlantDoc's photographs called blight look like
  others called grey leaf spot: its labels are not all right. Leaves that carry several diseases have one label.
- No photograph comes from Kenya or from a cheap telephone. Watch the share that is answered, and have a person look.
"""
