"""The float32 graph of a shipped file: the same answers, and nothing of eight bits left in it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from models.dr.phantom import draw
from models.maize.phantom import draw as draw_leaf
from services.bench.float32 import float32
from services.inference.engine import calibrated
from services.inference.manifest import load, load_classes
from services.inference.session import open_session
from services.screening.engines import MODELS

TIERS = load(MODELS, "dr").tiers


@pytest.mark.parametrize("name", TIERS)
def test_it_answers_as_the_shipped_file_does(name: str) -> None:
    shipped = TIERS[name].file.read_bytes()
    small, large = open_session(shipped), open_session(float32(shipped))
    for seed in range(4):
        fed = {small.get_inputs()[0].name: np.asarray(draw(seed, TIERS[name].size, lesions=seed % 2 == 0))[None]}
        ours, theirs = (session.run(None, fed)[0].ravel() for session in (small, large))
        chances = [calibrated(logits[TIERS[name].output], TIERS[name].temperature) for logits in (ours, theirs)]
        assert chances[0] == pytest.approx(chances[1], abs=0.02)


@pytest.mark.parametrize("name", TIERS)
def test_nothing_of_eight_bits_is_left(name: str) -> None:
    shipped = onnx.load(TIERS[name].file)
    graph = onnx.load_model_from_string(float32(TIERS[name].file.read_bytes())).graph
    eight = {onnx.TensorProto.INT8, onnx.TensorProto.UINT8, onnx.TensorProto.INT32}
    assert not [tensor.name for tensor in graph.initializer if tensor.data_type in eight]
    assert not [node.name for node in graph.node if "Linear" in node.op_type]
    for kind in ("Conv", "Gemm", "Add"):
        assert sum(n.op_type == kind for n in graph.node) == sum(n.op_type == kind for n in shipped.graph.node)


def test_an_output_that_was_rounded_last_is_still_one() -> None:
    tier = load_classes(MODELS, "maize").tier("light")
    small, large = open_session(tier.file.read_bytes()), open_session(float32(tier.file.read_bytes()))
    assert {each.name for each in large.get_outputs()} == {"logits", "map"}
    fed = {small.get_inputs()[0].name: np.asarray(draw_leaf(1, tier.size, "Gray_Leaf_Spot"))[None]}
    ours, theirs = (session.run(["logits"], fed)[0].ravel() for session in (small, large))
    assert ours.argmax() == theirs.argmax()
