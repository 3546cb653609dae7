"""A session says the same on every processor: sums of 8-bit products are whole, where the fastest kernel cuts too."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from services.inference.session import open_session


def eight_bit_convolution(weights: np.ndarray) -> bytes:
    """A graph as the lab quantises: uint8 activations of scale 1, int8 `weights` [out, in, 1, 1], a float result."""
    constants = {
        "weight": weights.astype(np.int8),
        "one": np.float32(1),
        "zero": np.uint8(0),
        "middle": np.int8(0),
        "out_scale": np.float32(1024),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "one", "zero"], ["xd"]),
        helper.make_node("DequantizeLinear", ["weight", "one", "middle"], ["wd"]),
        helper.make_node("Conv", ["xd", "wd"], ["y"], kernel_shape=[1, 1]),
        helper.make_node("QuantizeLinear", ["y", "out_scale", "zero"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "out_scale", "zero"], ["out"]),
    ]
    deep, wide = weights.shape[1], weights.shape[0]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, deep, 8, 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, wide, 8, 8])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize(("activation", "weight"), [(255, 127), (255, 100), (200, 90), (40, 20)])
def test_large_eight_bit_products_are_summed_whole(activation: int, weight: int) -> None:
    """Two products of 255 and 127 are 64,770, twice what 16 bits hold with a sign."""
    weights = np.full((16, 8, 1, 1), weight, np.int8)
    session = open_session(eight_bit_convolution(weights))
    found = np.asarray(session.run(["out"], {"x": np.full((1, 8, 8, 8), activation, np.float32)})[0])
    assert np.abs(found - 8 * activation * weight).max() <= 512
