"""Model folders with the tiers a test needs, made of the released one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

RELEASED = Path(__file__).resolve().parents[2] / "models"


def release(folder: Path, *tiers: str) -> Path:
    """A `models` folder in which the diabetic-retinopathy programme has these tiers, all of them the released best."""
    shutil.copytree(RELEASED / "dr", folder / "dr", ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.onnx"))
    path = folder / "dr" / "manifest.json"
    manifest = json.loads(path.read_text())
    best, described = next(iter(manifest["tiers"].items()))
    manifest["tiers"] = {tier: described | {"file": f"{tier}.onnx"} for tier in tiers}
    for tier in tiers:
        shutil.copy(RELEASED / "dr" / described["file"], folder / "dr" / f"{tier}.onnx")
    for case in manifest["golden"]:
        if best in case["probability"]:
            case["probability"] = dict.fromkeys(tiers, case["probability"][best])
    path.write_text(json.dumps(manifest))
    return folder
