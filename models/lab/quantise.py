"""One float32 graph in every number format: float16, int8 (dynamic, static per tensor, static per channel), int4,
binary.

    python -m models.lab.quantise --graph R/export/full.float32.onnx

The contrast filter and the classifier stay float. Static int8 is QDQ, calibrated on train photographs; of its two ways
the one whose logits on val lie closer to float32 is written as `<name>.onnx`, the file to be released, as `portable.py`
has it (differences in AUC of a thousandth are chance, those in logits are not). int4 and binary hold weights only: ONNX
Runtime unpacks them when it loads the file, so they save bytes and no time. Writes `<name>.<format>.onnx` beside the
graph, and `<name>.quantise.json`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from models.lab import data
from models.lab.export import strip
from models.lab.pack import pack_binary, pack_int4
from models.lab.portable import lower
from models.lab.programme import Pixels, named
from models.lab.settings import RUNS, read


@dataclass
class Settings:
    graph: str = ""  # full.float32.onnx among the programme's exports by default
    folder: str = ""
    formats: str = "static"  # static: what a release needs; all: what the report shows
    pictures: int = 160  # for calibration
    method: str = "MinMax"  # MinMax | Entropy | Percentile
    programme: str = "dr"


class Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Feeds squares to the calibrator one by one."""

    def __init__(self, pixels: Pixels, name: str) -> None:
        self.rest = iter([{name: one[None]} for one in pixels])

    def get_next(self) -> dict[str, Any] | None:
        return next(self.rest, None)


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


@contextmanager
def prepared(source: Path) -> Iterator[tuple[Path, onnx.ModelProto]]:
    """The graph folded, with shapes, and with a name on every node, in a file for the time being."""
    with TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        model = onnx.load(str(ready))
        for at, node in enumerate(model.graph.node):
            node.name = node.name or f"n{at}"
        onnx.save(model, str(ready))
        yield ready, model


def static(source: Path, target: Path, pixels: Pixels, per_channel: bool, method: str = "MinMax") -> None:
    """int8 weights and uint8 activations in QDQ form, calibrated on the squares given."""
    logging.getLogger().setLevel(logging.ERROR)
    with prepared(source) as (ready, model):
        quantize_static(
            str(ready), str(target), Pictures(pixels, model.graph.input[0].name),
            quant_format=QuantFormat.QDQ, per_channel=per_channel, op_types_to_quantize=["Conv", "Add", "Clip", "Pad"],
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=float_nodes(model),
            calibrate_method=CalibrationMethod[method],
        )  # fmt: skip
    strip(target)


def dynamic(source: Path, target: Path) -> None:
    """int8 weights; activations are measured and rounded anew for every picture."""
    with prepared(source) as (ready, model):
        quantize_dynamic(
            str(ready), str(target), op_types_to_quantize=["Conv", "MatMul", "Gemm"], weight_type=QuantType.QInt8,
            nodes_to_exclude=float_nodes(model),
        )  # fmt: skip
    strip(target)


def float16(source: Path, target: Path) -> None:
    """Half precision for everything behind the contrast filter."""
    with prepared(source) as (_, model):
        half = convert_float_to_float16(model, keep_io_types=True, node_block_list=float_nodes(model))
    whole = OnnxModel(half)
    whole.topological_sort()  # the converter appends its casts at the end
    onnx.save(whole.model, str(target))
    strip(target)


def run(path: Path, pixels: Pixels, threads: int = 1) -> NDArray[np.float32]:
    """Logits [n, k] of a graph, one picture at a time as at the clinic."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.x64quantprecision", "1")  # as the product runs it: services/inference
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([np.asarray(session.run(["logits"], {name: one[None]})[0]) for one in pixels])


def side_of(path: Path) -> int:
    """The side in pixels of the squares that a graph reads."""
    return int(onnx.load(str(path)).graph.input[0].type.tensor_type.shape.dim[1].dim_value)


def main(settings: Settings) -> dict[str, Any]:
    """Write the formats asked for and compare each with float32 on val."""
    programme = named(settings.programme)
    head, folder = programme.head, data.folder_of(programme, settings.folder)
    source = Path(settings.graph or RUNS / programme.name / "export" / "full.float32.onnx")
    name, size = source.name.removesuffix(".float32.onnx"), side_of(source)
    train = data.load(programme, folder, "train", size, drop_rejects=True)
    val = data.load(programme, folder, "val", size, drop_rejects=True)
    chosen = np.random.default_rng(1).choice(len(train), min(settings.pictures, len(train)), replace=False)
    pixels = train.pixels[chosen]
    logits = run(source, val.pixels)
    result: dict[str, Any] = {
        "size": size,
        "float32": {"bytes": source.stat().st_size, head.metric: head.score(val.targets, logits)},
    }
    makers = {
        "int8-channel": lambda target: static(source, target, pixels, True, settings.method),
        "int8-tensor": lambda target: static(source, target, pixels, False, settings.method),
    }
    if settings.formats == "all":
        makers |= {
            "float16": lambda target: float16(source, target),
            "int8-dynamic": lambda target: dynamic(source, target),
            "int4": lambda target: pack_int4(source, target),
            "binary": lambda target: pack_binary(source, target),
        }
    for kind, make in makers.items():
        target = source.with_name(f"{name}.{kind}.onnx")
        make(target)
        small = run(target, val.pixels)
        result[kind] = {
            "bytes": target.stat().st_size,
            head.metric: head.score(val.targets, small),
            "logit_error": float(np.abs(small - logits)[:, list(head.explained)].mean()),
        }
    best = min(("int8-channel", "int8-tensor"), key=lambda kind: result[kind]["logit_error"])
    result["chosen"] = best
    lower(source.with_name(f"{name}.{best}.onnx"), source.with_name(f"{name}.onnx"))
    source.with_name(f"{name}.quantise.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    print(json.dumps(main(read(Settings)), indent=1))
