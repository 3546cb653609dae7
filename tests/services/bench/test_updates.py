"""What the figures on updates rest on: the patches that are weighed give the files that they are said to give."""

from __future__ import annotations

from pathlib import Path

import onnx

from services.bench.updates import _last_layer, _thresholds, _weigh
from services.screening.engines import MODELS
from services.updates.packing import pack, unpack


def test_only_the_last_layer_differs() -> None:
    before = (MODELS / "dr" / "light.onnx").read_bytes()
    after = _last_layer(before)
    old, new = (onnx.load_model_from_string(graph).graph for graph in (before, after))
    changed = [one.name for one, other in zip(old.initializer, new.initializer, strict=True) if one != other]
    assert 0 < len(changed) <= 2
    assert set(changed) <= {name for node in new.node if node.op_type == "Gemm" for name in node.input}


def test_a_case_is_weighed_by_what_really_comes_out(tmp_path: Path) -> None:
    old = (MODELS / "dr" / "manifest.json").read_bytes()
    new = _thresholds(old)
    found = _weigh(new, old)
    assert found["patch_used"]
    assert found["patch_bytes"] == len(pack(new, old)) < found["zstd_bytes"] < found["full_bytes"] == len(new)
    (tmp_path / "patch").write_bytes(pack(new, old))
    unpack(tmp_path / "patch", tmp_path / "out", len(new), old)
    assert (tmp_path / "out").read_bytes() == new
