"""Weights in four bits or one, unpacked by nodes of the graph itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.lab.export import strip


def pack_int4(source: Path, target: Path) -> None:
    """Convolution weights as int4 with a scale a channel, behind DequantizeLinear (int4 needs opset 21)."""
    model = onnx.load(str(source))
    for name, weight in _weights(model):
        scale = np.abs(weight).reshape(len(weight), -1).max(axis=1).clip(1e-8) / 7
        rounded = np.clip(np.round(weight / scale.reshape(-1, 1, 1, 1)), -7, 7).astype(int)
        packed = helper.make_tensor(f"{name}_q", TensorProto.INT4, weight.shape, rounded.ravel().tolist())
        step = numpy_helper.from_array(scale.astype(np.float32), f"{name}_s")
        node = helper.make_node("DequantizeLinear", [packed.name, step.name], [name], axis=0)
        _replace(model, name, [packed, step], [node])
    _save(model, target, 21)


def pack_binary(source: Path, target: Path) -> None:
    """Convolution weights as their signs, eight to a byte, times their mean size a channel (Rastegari et al. 2016)."""
    model = onnx.load(str(source))
    shared: dict[str, NDArray[Any]] = {
        "powers": np.array([[128, 64, 32, 16, 8, 4, 2, 1]], dtype=np.uint8),
        "zero": np.array(0, dtype=np.uint8),
        "two": np.array(2, dtype=np.float32),
        "one": np.array(1, dtype=np.float32),
        "all": np.array([-1], dtype=np.int64),
        "first": np.array([0], dtype=np.int64),
    }
    for name, weight in _weights(model):
        own: dict[str, NDArray[Any]] = {
            f"{name}_bytes": np.packbits(weight.ravel() > 0)[:, None],
            f"{name}_count": np.array([weight.size], dtype=np.int64),
            f"{name}_shape": np.array(weight.shape, dtype=np.int64),
            f"{name}_scale": np.abs(weight).reshape(len(weight), -1).mean(axis=1).reshape(-1, 1, 1, 1),
        }
        chain: list[tuple[str, list[str], dict[str, Any]]] = [
            ("BitwiseAnd", [f"{name}_bytes", "powers"], {}),
            ("Greater", ["<", "zero"], {}),
            ("Reshape", ["<", "all"], {}),
            ("Slice", ["<", "first", f"{name}_count"], {}),
            ("Cast", ["<"], {"to": TensorProto.FLOAT}),
            ("Mul", ["<", "two"], {}),
            ("Sub", ["<", "one"], {}),
            ("Reshape", ["<", f"{name}_shape"], {}),
            ("Mul", ["<", f"{name}_scale"], {}),
        ]
        nodes = []
        for at, (kind, inputs, attributes) in enumerate(chain):
            out = name if at == len(chain) - 1 else f"{name}_{at}"
            inputs = [f"{name}_{at - 1}" if one == "<" else one for one in inputs]
            nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        _replace(model, name, [numpy_helper.from_array(value, key) for key, value in own.items()], nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in shared.items())
    _save(model, target, 18)


def _weights(model: onnx.ModelProto) -> list[tuple[str, NDArray[np.float32]]]:
    """Name and value of each convolution's weights, but for the blur (one channel deep and not learnt)."""
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    names = [node.input[1] for node in model.graph.node if node.op_type == "Conv" and node.input[1] in values]
    found = [(name, numpy_helper.to_array(values[name])) for name in dict.fromkeys(names)]
    return [(name, np.asarray(value, np.float32)) for name, value in found if value.size > 3 * 64]


def _replace(model: onnx.ModelProto, name: str, tensors: list[onnx.TensorProto], nodes: list[onnx.NodeProto]) -> None:
    """Put these in the place of an initialiser."""
    graph = model.graph
    kept = [tensor for tensor in graph.initializer if tensor.name != name]
    own = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *tensors])
    graph.node.extend([*nodes, *own])


def _save(model: onnx.ModelProto, target: Path, opset: int) -> None:
    model.opset_import[0].version = max(opset, model.opset_import[0].version)
    onnx.save(model, str(target))
    strip(target)
