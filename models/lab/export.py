"""Write a network as a float32 ONNX graph, without what an exporter leaves lying about.

    python -m models.lab.export --checkpoint R/full/last.pt --out R/export/full.float32.onnx

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
from models.lab.net import Grader
from models.lab.settings import RUNS, read


@dataclass
class Settings:
    checkpoint: str = ""  # that of the programme's run `full` by default
    out: str = ""  # full.float32.onnx among the programme's exports by default
    size: int = 0  # pixels; the checkpoint's own by default
    opset: int = 18
    programme: str = "dr"


class Explained(nn.Module):
    """The logits, and where the head's explained ones come from: their class activation maps (Zhou et al. 2016). The
    last layer is linear and follows a mean, so a logit is exactly its map's mean plus a bias. Of several networks, the
    mean."""

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
        explained = list(grader.programme.head.explained)
        maps = nn.functional.conv2d(features, grader.out.weight[explained, :, None, None])
        return grader.out(features.mean(dim=(2, 3))), maps[:, 0] if len(explained) == 1 else maps


def export(graders: list[Grader], size: int, path: Path, opset: int = 18) -> None:
    """Write the graph: `pixels` uint8 [1, size, size, 3] RGB to `logits` float32 [1, k] and `map` float32
    [1, h, w], or [1, k, h, w] where every logit is explained."""
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
    """Export checkpoints that read one size. Returns the graph's path. Raises ValueError for another programme's."""
    runs = RUNS / settings.programme
    paths = settings.checkpoint or str(runs / "full" / "last.pt")
    loaded = [net.load(Path(path), settings.size) for path in paths.split(",")]
    if {grader.programme.name for grader, _ in loaded} != {settings.programme}:
        raise ValueError(f"{paths} is not of programme {settings.programme}")
    out = Path(settings.out or runs / "export" / "full.float32.onnx")
    export([grader for grader, _ in loaded], loaded[0][1], out, settings.opset)
    return out


if __name__ == "__main__":
    print(main(read(Settings)))
