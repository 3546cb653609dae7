"""A graph in an older opset says the same to the last bit, and what an older opset cannot say is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.lab import portable

SHIPPED = Path(__file__).resolve().parents[2] / "models"
UNUSED = ("ai.onnx.ml", "com.microsoft.nchwc", "org.pytorch.aten")


def exported(**changes: Any) -> onnx.ModelProto:
    """A graph as torch exports it in opset 18: three operators that changed since 15, and domains without use."""
    resize: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", "antialias": 0}
    resize |= {"keep_aspect_ratio_policy": "stretch"} | changes
    nodes = [
        helper.make_node("Cast", ["pixels"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Pad", ["x", "pads"], ["padded"], mode="edge"),
        helper.make_node("Resize", ["padded", "", "", "sizes"], ["large"], **resize),
        helper.make_node("ReduceMean", ["large", "axes"], ["logits"], keepdims=0),
    ]
    constants = {
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "sizes": np.array([1, 3, 24, 24]),
        "axes": np.array([2, 3]),
    }
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, 3, 6, 6])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    domains = [helper.make_opsetid("", 18), *(helper.make_opsetid(name, 1) for name in UNUSED)]
    return helper.make_model(graph, opset_imports=domains, ir_version=10)


def test_the_operators_that_changed_say_the_same_as_before(tmp_path: Path) -> None:
    before, after = tmp_path / "before.onnx", tmp_path / "after.onnx"
    onnx.save(exported(), str(before))
    portable.lower(before, after)
    model = onnx.load(str(after))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 15)]
    assert model.ir_version == 8
    assert [tensor.name for tensor in model.graph.initializer] == ["pads", "sizes"]  # axes have become an attribute
    assert portable.same(before.read_bytes(), after.read_bytes())


@pytest.mark.parametrize("changes", [{"antialias": 1}, {"keep_aspect_ratio_policy": "not_larger"}, {"axes": [2, 3]}])
def test_what_opset_15_cannot_say_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    model = exported(**changes)
    onnx.save(model, str(tmp_path / "before.onnx"))
    with pytest.raises(ValueError, match="Resize"):
        portable.lower(tmp_path / "before.onnx", tmp_path / "after.onnx")
    assert not (tmp_path / "after.onnx").exists()


def test_an_operator_that_came_later_is_refused(tmp_path: Path) -> None:
    model = exported()
    model.graph.node[1].op_type = "CenterCropPad"
    onnx.save(model, str(tmp_path / "before.onnx"))
    with pytest.raises(ValueError, match="CenterCropPad"):
        portable.lower(tmp_path / "before.onnx", tmp_path / "after.onnx")


def test_a_release_is_rewritten_with_its_hashes(tmp_path: Path) -> None:
    folder = tmp_path / "dr"
    folder.mkdir()
    for name in ("light.onnx", "manifest.json", "metrics.json"):
        shutil.copy(SHIPPED / "dr" / name, folder / name)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tiers"] = {"light": manifest["tiers"]["light"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    newer = onnx.load(str(folder / "light.onnx"))
    newer.opset_import.extend([helper.make_opsetid(name, 1) for name in UNUSED])
    onnx.save(newer, str(folder / "light.onnx"))

    with pytest.raises(ValueError, match="--version"):
        portable.main(portable.Settings(programme="dr", models=str(tmp_path)))
    portable.main(portable.Settings(programme="dr", version="9.9.9", models=str(tmp_path)))

    content = (folder / "light.onnx").read_bytes()
    found, metrics = (json.loads((folder / name).read_text()) for name in ("manifest.json", "metrics.json"))
    assert found["version"] == "9.9.9"
    assert found["tiers"]["light"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["tiers"]["light"]["bytes"] == len(content)
    assert metrics["tiers"]["light"]["model"] == hashlib.sha256(content).hexdigest()
    assert [entry.domain for entry in onnx.load(str(folder / "light.onnx")).opset_import] == [""]
    onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
