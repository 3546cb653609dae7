"""Export a checkpoint to ONNX and make it int8: contrast filter and classifier stay float, everything between is QDQ.

    python -m models.lab.quantise --checkpoint models/lab/runs/tune/last.pt

Calibrated on train photographs, once with a scale per channel and once with one per tensor; the one whose logits on val
lie closer to float32 is kept (differences in AUC of a thousandth are chance, those in logits are not). Writes
float32.onnx, int8-channel.onnx, int8-tensor.onnx, full.onnx (the chosen one) and quantise.json.
"""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.lab import data
from models.lab.net import REFERABLE, Grader
from models.lab.settings import RUNS, read
from services.inference.evaluate import auc


@dataclass
class Settings:
    checkpoint: str = str(RUNS / "tune" / "last.pt")
    out: str = str(RUNS / "export")
    size: int = 0  # pixels; the checkpoint's own by default
    folder: str = ""
    pictures: int = 120  # for calibration
    method: str = "MinMax"  # MinMax | Entropy | Percentile
    opset: int = 18
    threads: int = 1


class Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Feeds squares to the calibrator one by one."""

    def __init__(self, pixels: data.Pixels, name: str) -> None:
        self.rest = iter([{name: one[None]} for one in pixels])

    def get_next(self) -> dict[str, Any] | None:
        return next(self.rest, None)


def load_grader(checkpoint: Path, size: int = 0) -> tuple[Grader, int]:
    """The averaged weights of a checkpoint, ready for inference at `size` (or at the size of its last epoch)."""
    state = torch.load(checkpoint, weights_only=False, map_location="cpu")
    size = size or state["size"]
    net = Grader(size, state["head"], pretrained=False)
    net.load_state_dict(state["average"])
    return net.eval(), size


def export(net: Grader, size: int, path: Path, opset: int) -> None:
    """Write the float32 graph: `pixels` uint8 [1, size, size, 3] RGB to `logits` float32 [1, 5]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = torch.zeros(1, size, size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net, (pixels,), dynamo=True, opset_version=opset, input_names=["pixels"], output_names=["logits"],
            verbose=False,
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


def float_nodes(model: onnx.ModelProto) -> list[str]:
    """The nodes that stay float: all that lead to the stem (the first convolution with 32 × 3 × 3 × 3 weights) and all
    after the last convolution, where a scale over the whole logit range would make ties."""
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    nodes = list(model.graph.node)
    stem = next(n for n in nodes if n.op_type == "Conv" and shapes.get(n.input[1], [])[1:] == [3, 3, 3])
    makers = {name: node for node in nodes for name in node.output}
    before: dict[str, onnx.NodeProto] = {}
    padding = makers.get(stem.input[0])  # the stem's own padding is quantised with it
    waiting = [padding.input[0] if padding is not None and padding.op_type == "Pad" else stem.input[0]]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in before:
            before[node.name] = node
            waiting.extend(node.input)
    last = max(at for at, node in enumerate(nodes) if node.op_type == "Conv")
    after = [node.name for node in nodes[last + 1 :] if node.op_type not in ("Clip", "Relu")]
    return [*before, *after]


def quantise(source: Path, target: Path, pixels: data.Pixels, per_channel: bool, method: str = "MinMax") -> None:
    """int8 weights and uint8 activations in QDQ form, calibrated on the squares given."""
    ready = target.with_suffix(".ready.onnx")
    quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
    model = onnx.load(str(ready))
    for at, node in enumerate(model.graph.node):
        node.name = node.name or f"n{at}"
    onnx.save(model, str(ready))
    logging.getLogger().setLevel(logging.ERROR)
    quantize_static(
        str(ready), str(target), Pictures(pixels, model.graph.input[0].name),
        quant_format=QuantFormat.QDQ, per_channel=per_channel, op_types_to_quantize=["Conv", "Add", "Clip", "Pad"],
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=float_nodes(model),
        calibrate_method=CalibrationMethod[method],
    )  # fmt: skip
    ready.unlink()
    strip(target)


def run(path: Path, pixels: data.Pixels, threads: int = 1) -> NDArray[np.float32]:
    """Logits [n, 5] of a graph, one picture at a time as at the clinic."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([np.asarray(session.run(None, {name: one[None]})[0]) for one in pixels])


def main(settings: Settings) -> dict[str, Any]:
    out = Path(settings.out)
    folder = Path(settings.folder) if settings.folder else data.shared() / "dr"
    net, size = load_grader(Path(settings.checkpoint), settings.size)
    export(net, size, out / "float32.onnx", settings.opset)
    train = data.load(folder, "train", size, drop_rejects=True)
    val = data.load(folder, "val", size, drop_rejects=True)
    chosen = np.random.default_rng(1).choice(len(train), min(settings.pictures, len(train)), replace=False)
    with torch.no_grad():
        eager = np.concatenate([net(torch.from_numpy(one[None])).numpy() for one in val.pixels[:8]])
    logits = run(out / "float32.onnx", val.pixels)
    result: dict[str, Any] = {
        "size": size,
        "graph_against_torch": float(np.abs(eager - logits[:8]).max()),
        "float32": {
            "bytes": (out / "float32.onnx").stat().st_size,
            "val_auc": auc(val.grade >= 2, logits[:, REFERABLE]),
        },
    }
    for name, per_channel in (("int8-channel", True), ("int8-tensor", False)):
        path = out / f"{name}.onnx"
        quantise(out / "float32.onnx", path, train.pixels[chosen], per_channel, settings.method)
        small = run(path, val.pixels)
        result[name] = {
            "bytes": path.stat().st_size,
            "val_auc": auc(val.grade >= 2, small[:, REFERABLE]),
            "logit_error": float(np.abs(small - logits)[:, REFERABLE].mean()),
        }
    best = min(("int8-channel", "int8-tensor"), key=lambda name: result[name]["logit_error"])
    result["chosen"] = best
    (out / "full.onnx").write_bytes((out / f"{best}.onnx").read_bytes())
    (out / "quantise.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
