"""Every shipped graph stays within what smaller runtimes know, ONNX Runtime Mobile's prebuilt package and
onnxruntime-web, which also has to say what the server's runtime says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import defs

from models.dr import phantom
from services.inference.preprocess import square
from services.inference.session import open_session

ROOT = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).parent / "runtimes"
APP = ROOT / "services" / "gateway" / "app"
WEB = APP / "node_modules" / "onnxruntime-web"
GRAPHS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "models").glob("*/*.onnx"))
PHOTOGRAPHS = [graph for graph in GRAPHS if not graph.startswith("models/risk/")]


@dataclass(frozen=True)
class Operator:
    """As it was defined in `version`, the newest definition that the graph's opset includes."""

    domain: str
    name: str
    version: int


@dataclass(frozen=True)
class Known:
    """One line of a list: these operators of a domain, all for `*`, in opsets from `first` to `last`."""

    domain: str
    first: int
    last: int
    names: frozenset[str]

    def covers(self, operator: Operator, opset: int) -> bool:
        named = "*" in self.names or operator.name in self.names
        return operator.domain == self.domain and named and self.first <= opset <= self.last


def known(name: str) -> list[Known]:
    found = []
    for line in (LISTS / name).read_text().splitlines():
        if not line.startswith("#"):
            head, names = line.split(": ")
            domain, opsets = head.split(" ")
            first, last = opsets.split("-")
            found.append(Known(domain, int(first), int(last), frozenset(names.split())))
    return found


def opsets(model: onnx.ModelProto) -> dict[str, int]:
    return {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from nodes(inner)


def operators(model: onnx.ModelProto) -> set[Operator]:
    declared, found = opsets(model), set()
    for node in nodes(model.graph):
        domain = node.domain or "ai.onnx"
        standard = domain.startswith("ai.onnx")
        name = "" if domain == "ai.onnx" else domain
        version = defs.get_schema(node.op_type, declared[domain], name).since_version if standard else declared[domain]
        found.add(Operator(domain, node.op_type, version))
    return found


def outside(model: onnx.ModelProto, runtime: str) -> list[Operator]:
    """The operators that a runtime does not know in this graph's opset. One that has not changed since an opset it
    does know is the same operator to it, but a graph may not declare a newer opset than the list has."""
    lines, declared = known(runtime), opsets(model)
    return sorted(
        (one for one in operators(model) if not any(line.covers(one, declared[one.domain]) for line in lines)), key=str
    )


def optimised(graph: str, level: str, folder: Path) -> onnx.ModelProto:
    """What the converter to the ORT format, which Mobile's package reads, makes of a graph."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(ROOT / graph), options, providers=["CPUExecutionProvider"])
    return onnx.load(str(folder / "optimised.onnx"))


def test_there_are_graphs_of_every_programme() -> None:
    programmes = {path.parent.name for path in (ROOT / "models").glob("*/manifest.json")}
    assert {Path(graph).parent.name for graph in GRAPHS} == programmes >= {"dr", "maize", "risk"}


@pytest.mark.parametrize("graph", PHOTOGRAPHS)
def test_photographs_are_read_by_graphs_that_mobiles_package_knows(graph: str, tmp_path: Path) -> None:
    model = onnx.load(str(ROOT / graph))
    assert outside(model, "onnxruntime-mobile-1.17.txt") == []
    assert set(opsets(model)) == {"ai.onnx"}
    assert model.ir_version <= 9  # the newest that ONNX Runtime 1.17 reads
    for level in ("ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED"):
        assert outside(optimised(graph, level, tmp_path), "onnxruntime-mobile-1.17.txt") == []


def test_the_trees_over_symptoms_need_a_whole_runtime() -> None:
    """Nothing stands on them alone: FINDRISC is arithmetic. Who ports that model to Mobile has to know."""
    model = onnx.load(str(ROOT / "models" / "risk" / "risk.onnx"))
    assert [one.name for one in outside(model, "onnxruntime-mobile-1.17.txt")] == ["TreeEnsembleClassifier"]


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_web_runtime_knows_every_operator(graph: str) -> None:
    assert outside(onnx.load(str(ROOT / graph)), "onnxruntime-web-1.30.0.txt") == []


def test_the_list_is_of_the_web_runtime_that_is_pinned() -> None:
    pinned = json.loads((APP / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    assert (LISTS / f"onnxruntime-web-{pinned}.txt").is_file()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda model: setattr(model.graph.node[0], "op_type", "Einsum"), ["Einsum"]),
        (lambda model: setattr(model.opset_import[0], "version", 14), []),
        (lambda model: setattr(model.opset_import[0], "version", 18), ["Add", "Cast", "Conv"]),
    ],
    ids=["an operator it does not know", "an older opset", "a newer opset"],
)
def test_what_lies_outside_is_found(change: Any, missing: list[str]) -> None:
    model = onnx.load(str(ROOT / "models" / "dr" / "light.onnx"))
    change(model)
    found = [one.name for one in outside(model, "onnxruntime-mobile-1.17.txt")]
    assert set(missing) <= set(found)
    assert bool(found) == bool(missing)


def test_the_web_runtime_says_what_the_servers_says(tmp_path: Path) -> None:
    """The same pixels to the same logits, but for the order in which the last mean and matrix are added up. What goes
    before is exact, so that no 8-bit step falls otherwise: that would be 0.02 and more."""
    if not WEB.is_dir():
        pytest.skip("the web app is not built: `make setup`")
    pytest.importorskip("click", reason="the lab has none of the web app's tools: the product's suite runs this")
    from services.commands.webapp import _node

    cases, expected = [], {}
    for graph in GRAPHS:
        session = open_session((ROOT / graph).read_bytes())
        given = session.get_inputs()[0]
        if given.type == "tensor(uint8)":
            value = square(phantom.draw(5, 500, lesions=True), given.shape[1])[None]
            outputs = ["logits", "map"]
        else:
            value = np.full((1, given.shape[1]), 1, np.float32)
            outputs = ["probabilities"]
        file = tmp_path / graph.replace("/", "-")
        file.write_bytes(np.ascontiguousarray(value).tobytes())
        kind = "uint8" if value.dtype == np.uint8 else "float32"
        cases.append({"graph": str(ROOT / graph), "input": given.name, "type": kind, "dims": list(value.shape),
                      "file": str(file), "outputs": outputs})  # fmt: skip
        answers = session.run(outputs, {given.name: value})
        expected[str(ROOT / graph)] = dict(
            zip(outputs, (np.asarray(answer).ravel() for answer in answers), strict=True)
        )
    runtime = (WEB / "dist" / "ort.wasm.min.mjs").as_uri()
    command = [str(_node()[0]), str(LISTS / "web.mjs"), runtime, json.dumps(cases)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for graph, outputs in expected.items():
        for name, value in outputs.items():
            np.testing.assert_allclose(said[graph][name], value, atol=2e-4, err_msg=f"{graph}: {name}")
