"""The float32 graph that a shipped int8 graph stands for: what its speed is compared with.

Only int8 files are shipped. Their weights and the places where activations are rounded are explicit (QDQ format), so
the same layers in float32 follow from the file itself: weights are multiplied out and the rounding is left out.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def float32(content: bytes) -> bytes:
    """The bytes of the float32 graph. A rounding that also served as ReLU (its least value is 0) becomes the Clip that
    it replaced. Raises google.protobuf.message.DecodeError when `content` is no ONNX graph."""
    model = onnx.load_model_from_string(content)
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_by = {node.output[0]: node for node in graph.node}
    kept, added, renamed = [], [], {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            added.append(numpy_helper.from_array(_multiplied_out(node, constants), node.output[0]))
        elif node.op_type == "DequantizeLinear":
            renamed[node.output[0]] = node.input[0]
        elif node.op_type == "QuantizeLinear":
            scale, zero = constants[node.input[1]], constants[node.input[2]]
            limits = np.iinfo(zero.dtype)
            if zero == limits.min and made_by[node.input[0]].op_type == "Conv":
                names = [f"{node.output[0]}.{side}" for side in ("low", "high")]
                top = np.float32(scale * (float(limits.max) - float(limits.min)))
                added += [
                    numpy_helper.from_array(np.asarray(v, np.float32), n) for n, v in zip(names, (0, top), strict=True)
                ]
                kept.append(helper.make_node("Clip", [node.input[0], *names], [node.output[0]]))
            else:
                renamed[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    for node in kept:
        node.input[:] = [_first(name, renamed) for name in node.input]
    # An output that was rounded last is now what it was before.
    rounded = [output.name for output in graph.output if output.name in renamed]
    kept += [helper.make_node("Identity", [_first(name, renamed)], [name]) for name in rounded]
    read = {name for node in kept for name in node.input}
    left = [tensor for tensor in (*graph.initializer, *added) if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(left)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised


def _multiplied_out(node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    """(q - zero) × scale, a scale a channel where the node names an axis (ONNX operator DequantizeLinear)."""
    quantised, scale = (constants[name].astype(np.float32) for name in node.input[:2])
    zero = constants[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.float32(0)
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if scale.ndim:
        shape = [-1 if at == axis % quantised.ndim else 1 for at in range(quantised.ndim)]
        scale, zero = scale.reshape(shape), np.reshape(zero, shape)
    return np.asarray((quantised - zero) * scale, dtype=np.float32)


def _first(name: str, renamed: dict[str, str]) -> str:
    while name in renamed:
        name = renamed[name]
    return name
