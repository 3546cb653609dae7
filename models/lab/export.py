"""Write a network as a float32 ONNX graph, without what an exporter leaves lying about.

    python -m models.lab.export --checkpoint models/lab/runs/full/last.pt --out models/lab/runs/export/full.float32.onnx

Several checkpoints, with commas between, become one graph that averages them: so the report weighs the teachers as they
taught, together.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from models.lab import net
from models.lab.net import REFERABLE, Grader
from models.lab.settings import RUNS, read


@dataclass
class Settings:
    checkpoint: str = str(RUNS / "full" / "last.pt")
    out: str = str(RUNS / "export" / "full.float32.onnx")
    size: int = 0  # pixels; the checkpoint's own by default
    opset: int = 18


class Explained(nn.Module):
    """The logits, and where the referable one comes from: its class activation map (Zhou et al. 2016). The last layer
    is linear and follows a mean, so the logit is exactly the map's mean plus a bias. Of several networks, the mean."""

    def __init__(self, *graders: Grader) -> None:
        super().__init__()
        self.graders = nn.ModuleList(graders)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        logits, maps = zip(*(self.one(grader, pixels) for grader in self.graders), strict=True)
        if len(logits) == 1:
            return logits[0], maps[0]
        return torch.stack(logits).mean(dim=0), torch.stack(maps).mean(dim=0)

    def one(self, grader: Any, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = grader.features(pixels)
        weight = grader.out.weight[REFERABLE : REFERABLE + 1, :, None, None]
        return grader.out(features.mean(dim=(2, 3))), nn.functional.conv2d(features, weight)[:, 0]


def export(graders: list[Grader], size: int, path: Path, opset: int = 18) -> None:
    """Write the graph: `pixels` uint8 [1, size, size, 3] RGB to `logits` float32 [1, 5] and `map` float32 [1, h, w]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = torch.zeros(1, size, size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Explained(*graders).eval(), (pixels,), dynamo=True, opset_version=opset, input_names=["pixels"],
            output_names=["logits", "map"], verbose=False,
        )  # fmt: skip
    program.save(str(path), external_data=False)
    strip(path)


def strip(path: Path) -> None:
    """Drop the exporter's stack traces and notes, and shorten names: they are a tenth of a small model."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    graph = model.graph
    del graph.value_info[:], graph.metadata_props[:]
    graph.doc_string = ""
    kept = {value.name for value in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}

    def rename(name: str) -> str:
        if name not in short:
            short[name] = name if name in kept else f"t{len(short):x}"
        return short[name]

    for at, node in enumerate(graph.node):
        node.doc_string, node.name = "", f"n{at:x}"
        del node.metadata_props[:]
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
    for tensor in graph.initializer:
        tensor.doc_string, tensor.name = "", rename(tensor.name)
        del tensor.metadata_props[:]
    for value in (*graph.input, *graph.output):
        value.doc_string = ""
        del value.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def main(settings: Settings) -> Path:
    """Export checkpoints that read one size. Returns the graph's path."""
    loaded = [net.load(Path(path), settings.size) for path in settings.checkpoint.split(",")]
    export([grader for grader, _ in loaded], loaded[0][1], Path(settings.out), settings.opset)
    return Path(settings.out)


if __name__ == "__main__":
    print(main(read(Settings)))
