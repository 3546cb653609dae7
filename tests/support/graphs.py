"""Writes small ONNX graphs without the `onnx` package, which the product does not need: the few fields of its protobuf
messages that a test graph has (onnx.proto3, field numbers beside each)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT, UINT8 = 1, 2  # TensorProto.DataType

Node = tuple[str, Sequence[str], str, Mapping[str, int | Sequence[int]]]  # operator, inputs, output, attributes


def graph(
    nodes: Sequence[Node],
    constants: Mapping[str, NDArray[np.float32] | NDArray[np.int64]],
    given: Mapping[str, tuple[int, Sequence[int]]],
    wanted: Mapping[str, tuple[int, Sequence[int]]],
) -> bytes:
    """A model of opset 18; `given` and `wanted` map a name to its data type and shape."""
    body = b"".join(_field(1, _node(*node)) for node in nodes) + _field(2, b"g")
    body += b"".join(_field(5, _tensor(name, value)) for name, value in constants.items())
    body += b"".join(_field(11, _value(name, *kind)) for name, kind in given.items())
    body += b"".join(_field(12, _value(name, *kind)) for name, kind in wanted.items())
    return _number(1, 9) + _field(7, body) + _field(8, _number(2, 18))  # ir_version, graph, opset_import.version


def spots(size: int, cell: int, weights: Sequence[float], bias: float) -> bytes:
    """A grader of one idea: a 1 × 1 filter over the mean colour (0 to 1) of `cell` × `cell` squares is the `map`, its
    mean plus `bias` the second of five logits."""
    side = size // cell
    logits = np.array([0, 1, 0, 0, 0], dtype=np.float32)
    return graph(
        [
            ("Cast", ["pixels"], "floats", {"to": FLOAT}),
            ("Div", ["floats", "white"], "shades", {}),
            ("Transpose", ["shades"], "planes", {"perm": (0, 3, 1, 2)}),
            ("AveragePool", ["planes"], "cells", {"kernel_shape": (cell, cell), "strides": (cell, cell)}),
            ("Conv", ["cells", "weights"], "found", {"kernel_shape": (1, 1)}),
            ("Reshape", ["found", "shape"], "map", {}),
            ("ReduceMean", ["map"], "mean", {"keepdims": 0}),
            ("Add", ["mean", "bias"], "logit", {}),
            ("Mul", ["row", "logit"], "logits", {}),
        ],
        {
            "white": np.array(255, dtype=np.float32),
            "weights": np.array(weights, dtype=np.float32).reshape(1, 3, 1, 1),
            "shape": np.array([1, side, side], dtype=np.int64),
            "bias": np.array(bias, dtype=np.float32),
            "row": logits[None],
        },
        {"pixels": (UINT8, (1, size, size, 3))},
        {"logits": (FLOAT, (1, 5)), "map": (FLOAT, (1, side, side))},
    )


def _node(operator: str, inputs: Sequence[str], output: str, attributes: Mapping[str, int | Sequence[int]]) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    return named + _field(4, operator.encode()) + b"".join(_field(5, _attribute(*item)) for item in attributes.items())


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name.encode()) + _number(3, value) + _number(20, 2)  # i, type INT
    return _field(1, name.encode()) + b"".join(_number(8, one) for one in value) + _number(20, 7)  # ints, type INTS


def _tensor(name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    kind = FLOAT if value.dtype == np.float32 else 7
    dims = b"".join(_number(1, side) for side in value.shape)
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, value.tobytes())  # raw_data


def _value(name: str, kind: int, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, side)) for side in shape)
    tensor = _number(1, kind) + _field(2, dims)  # elem_type, shape
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
