"""What this release is made of, as CycloneDX 1.6 (ECMA-424): packages of Python and of the web app, models, voices."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services import RELEASED, VERSION
from voices import LANGUAGES, voice_for

_ROOT = Path(__file__).resolve().parents[2]
_LOCK = _ROOT / "services" / "gateway" / "app" / "package-lock.json"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s#;]+)", re.MULTILINE)
_LICENCE = "GPL-3.0-or-later"


def bill(root: Path = _ROOT) -> dict[str, Any]:
    """The bill of materials; the same for the same release. Raises OSError, ValueError for a damaged manifest."""
    components = sorted(
        [*_python(root), *_web(root), *_models(root), *_voices()], key=lambda each: str(each["bom-ref"])
    )
    names = [each["bom-ref"] for each in components]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(components, sort_keys=True))}",
        "version": 1,
        "metadata": {
            "timestamp": f"{RELEASED.isoformat()}T00:00:00Z",
            "component": {
                "type": "application",
                "bom-ref": "jicho",
                "name": "jicho",
                "version": VERSION,
                "licenses": [{"license": {"id": _LICENCE}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": "jicho", "dependsOn": names}, *({"ref": name} for name in names)],
    }


def _python(root: Path) -> Iterator[dict[str, Any]]:
    for name, version in _PINNED.findall((root / "requirements.txt").read_text(encoding="utf-8")):
        purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl} | _licence_of(name)


def _licence_of(package: str) -> dict[str, Any]:
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return {}
    if "License-Expression" in about:
        return {"licenses": [{"expression": about["License-Expression"]}]}
    classifiers = about.get_all("Classifier") or []
    named = [each.split(" :: ")[-1] for each in classifiers if each.startswith("License :: OSI Approved :: ")]
    return {"licenses": [{"license": {"name": each}} for each in named]} if named else {}


def _web(root: Path) -> Iterator[dict[str, Any]]:
    lock = root / _LOCK.relative_to(_ROOT)
    if not lock.is_file():
        return
    for path, about in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if not path:
            continue
        name, version = path.rpartition("node_modules/")[2], about["version"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        found = {"type": "library", "bom-ref": f"{purl}#{path}", "name": name, "version": version, "purl": purl}
        # What only builds the web app is not part of it.
        found["scope"] = "excluded" if about.get("dev") else "required"
        if "license" in about:
            found["licenses"] = [{"expression": about["license"]}]
        if str(about.get("integrity", "")).startswith("sha512-"):
            digest = b64decode(about["integrity"].removeprefix("sha512-")).hex()
            found["hashes"] = [{"alg": "SHA-512", "content": digest}]
        yield found


def _models(root: Path) -> Iterator[dict[str, Any]]:
    for manifest in sorted((root / "models").glob("*/manifest.json")):
        about = json.loads(manifest.read_text(encoding="utf-8"))
        programme, version = manifest.parent.name, str(about["version"])
        for graph in sorted(manifest.parent.glob("*.onnx")):
            name = f"{about['name']}-{graph.stem}"
            card = f"models/{programme}/README.md"
            yield _file(graph, name, version) | {
                "description": f"ONNX model of the programme {programme}; its data, their terms and its figures: {card}"
            }


def _voices() -> Iterator[dict[str, Any]]:
    spoken: dict[str, list[str]] = {}
    for language in LANGUAGES:
        spoken.setdefault(voice_for(language).package, []).append(language)
    for package, languages in spoken.items():
        graph = Path(import_module(package).model_path())
        version = metadata.version(package)
        yield _file(graph, package, version) | {"description": f"Piper voice that speaks {', '.join(languages)}"}


def _file(path: Path, name: str, version: str) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{name}@{version}",
        "name": name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
