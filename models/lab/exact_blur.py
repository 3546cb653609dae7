"""Lay released graders out to be released again, with exact taps in their contrast filter.

    python -m models.lab.exact_blur
    python -m models.lab.release --version 0.3.0

For graphs whose checkpoints are gone: of each graph in models/dr only the constants of the two blurring convolutions
change, into those of `blur.py`; the graph is then written as `portable.py` has it. The quality gate does not see the
filter and is taken over as it is, and so is what `quantise` measured of the float32 graphs. Writes what `release`
reads: R/export/<tier>.onnx, <tier>.quantise.json and R/quality.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from models.lab.blur import taps
from models.lab.portable import lower
from models.lab.quantise import side_of
from models.lab.settings import RUNS, read
from models.lab.tiers import MODELS


@dataclass
class Settings:
    models: str = str(MODELS)
    runs: str = str(RUNS / "dr")


def blurring(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """The taps of the contrast filter: of the convolutions over rows and over columns of the three channels, each by
    itself, that come before the first 8-bit number. Raises ValueError where there are not two."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {name: node for node in model.graph.node for name in node.output}
    node = next((node for node in model.graph.node if node.op_type == "Resize"), model.graph.node[0])
    found = []
    while node.input[0] in makers and (node := makers[node.input[0]]).op_type == "Conv":
        found.append(constants[node.input[1]])
    if [[length > 1 for length in tensor.dims] for tensor in found] != [
        [True, False, True, False],
        [True, False, False, True],
    ]:
        raise ValueError(f"no contrast filter before {node.op_type}: {[list(tensor.dims) for tensor in found]}")
    return found


def exact(graph: Path, target: Path) -> None:
    """Write the graph with exact taps, all else computed as it was. Raises ValueError for a filter of another width."""
    model = onnx.load(str(graph))
    wanted = taps(side_of(graph))
    for tensor in blurring(model):
        if max(tensor.dims) != len(wanted):
            raise ValueError(f"{graph}: {list(tensor.dims)} is no blur of {len(wanted)} taps")
        values = np.tile(wanted, 3).reshape(tuple(tensor.dims))
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(model, str(target))
    lower(target, target)


def main(settings: Settings) -> Path:
    """Returns the folder of graphs."""
    folder, runs = Path(settings.models) / "dr", Path(settings.runs)
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    export = runs / "export"
    export.mkdir(parents=True, exist_ok=True)
    for name, tier in manifest["tiers"].items():
        exact(folder / tier["file"], export / f"{name}.onnx")
        before = {"val_auc": tier["metrics"]["float32_val_auc"], "bytes": tier["metrics"]["float32_bytes"]}
        (export / f"{name}.quantise.json").write_text(json.dumps({"float32": before}, indent=1))
    gate = {"parameters": manifest["quality"], "metrics": manifest["quality_metrics"]}
    (runs / "quality.json").write_text(json.dumps(gate, indent=1))
    return export


if __name__ == "__main__":
    print(main(read(Settings)))
