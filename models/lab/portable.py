"""Write a graph so that older and smaller runtimes read it: in opset 15, and with no domain that it does not use.

    python -m models.lab.portable --programme maize --version 0.1.1

rewrites a release whose graphs are not so yet; `quantise` writes new ones so. ONNX Runtime Mobile's prebuilt package
knows opsets 12 to 15. What torch exports is opset 18; of the operators that these graphs use, three changed in between,
and none of them in what it computes here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import defs, helper, numpy_helper

from models.lab.settings import read

OPSET = 15
IR_VERSION = 8  # the file format of that time
NEW_ATTRIBUTES = {"Resize": {"antialias": 0, "keep_aspect_ratio_policy": b"stretch"}}  # what had to be so before 18


@dataclass
class Settings:
    programme: str = "maize"
    version: str = ""  # of the release with these graphs; must be given
    models: str = str(Path(__file__).resolve().parents[1])


def lower(graph: Path, target: Path) -> None:
    """Raises ValueError for a graph that says something which opset 15 cannot."""
    model = onnx.load(str(graph))
    (declared,) = [entry.version for entry in model.opset_import if entry.domain == ""]
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.domain == "" and _changed(node.op_type, declared):
            _rewrite(node, constants)
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    domains = {node.domain for node in model.graph.node if node.domain}
    imports = [entry for entry in model.opset_import if entry.domain in domains]
    imports = [helper.make_opsetid("", OPSET), *imports]
    del model.opset_import[:]
    model.opset_import.extend(imports)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(target))


def _changed(operator: str, declared: int) -> bool:
    try:
        now, then = (defs.get_schema(operator, version, "").since_version for version in (declared, OPSET))
    except defs.SchemaError:
        return True
    return bool(now != then)


def _rewrite(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> None:
    """As opset 15 writes it."""
    said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    match node.op_type:
        case "ReduceMean" if (
            len(node.input) == 2 and node.input[1] in constants and not said.get("noop_with_empty_axes")
        ):
            axes = numpy_helper.to_array(constants[node.input.pop()]).tolist()
            said = {"axes": axes, "keepdims": said.get("keepdims", 1)}
        case "Pad" if len(node.input) < 4 and said.get("mode", b"constant") != b"wrap":
            pass
        case "Resize" if all(said.get(name, usual) == usual for name, usual in NEW_ATTRIBUTES["Resize"].items()):
            if "axes" in said:
                raise ValueError("Resize of some axes only")
            said = {name: value for name, value in said.items() if name not in NEW_ATTRIBUTES["Resize"]}
        case other:
            raise ValueError(f"opset {OPSET} has no such {other}")
    del node.attribute[:]
    node.attribute.extend(helper.make_attribute(name, value) for name, value in said.items())


def same(one: bytes, other: bytes) -> bool:
    """Whether two graphs say the same, to the last bit, of a picture of noise."""
    sessions = [onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"]) for each in (one, other)]
    pixels = np.random.default_rng(1).integers(0, 256, sessions[0].get_inputs()[0].shape, dtype=np.uint8)
    said = [session.run(None, {"pixels": pixels}) for session in sessions]
    return all(np.array_equal(a, b) for a, b in zip(*said, strict=True))


def main(settings: Settings) -> Path:
    """Rewrite the graphs of a release, and what its manifest and metrics say of their bytes. Raises ValueError without
    a version, or when a graph would say anything else."""
    if not settings.version:
        raise ValueError("say the --version of the release with these graphs")
    folder = Path(settings.models) / settings.programme
    manifest, metrics = (json.loads((folder / name).read_text()) for name in ("manifest.json", "metrics.json"))
    for name, tier in manifest["tiers"].items():
        graph, lowered = folder / tier["file"], folder / f"{name}.lowered"
        lower(graph, lowered)
        before, after = graph.read_bytes(), lowered.read_bytes()
        if not same(before, after):
            raise ValueError(f"{name} would say something else")
        lowered.replace(graph)
        tier |= {"sha256": hashlib.sha256(after).hexdigest(), "bytes": len(after)}
        metrics["tiers"][name]["model"] = tier["sha256"]
    manifest["version"] = settings.version
    for name, content in (("manifest.json", manifest), ("metrics.json", metrics)):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")
    return folder


if __name__ == "__main__":
    print(main(read(Settings)))
