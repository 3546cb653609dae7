"""The graphs that are to be released, and what every manifest says of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.lab.data import mirrored
from models.lab.limits import Floats
from models.lab.programme import Pixels, Programme
from models.lab.quantise import run, side_of
from models.lab.settings import RUNS

MODELS = Path(__file__).resolve().parents[1]


@dataclass
class Common:
    """Settings that every release has."""

    programme: str = "dr"
    export: str = ""  # folder of graphs; that of the programme's runs by default
    models: str = str(MODELS)
    version: str = "0.1.0"
    tolerance: float = 0.05  # of a golden case's probability, between processors
    golden_size: int = 400  # pixels


def exports(settings: Common) -> Path:
    return Path(settings.export or RUNS / settings.programme / "export")


def graphs(programme: Programme, export: Path) -> list[Path]:
    """The tiers that there are, the best first."""
    return [path for path in (export / f"{name}.onnx" for name in programme.views) if path.exists()]


def described(programme: Programme, path: Path) -> dict[str, Any]:
    """A tier's entry before anything is frozen."""
    content = path.read_bytes()
    return {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "size": side_of(path),
        "views": programme.views[path.stem],
    }


def compression(path: Path) -> dict[str, Any]:
    """What `quantise` measured of this tier."""
    found: dict[str, Any] = json.loads(path.with_name(f"{path.stem}.quantise.json").read_text())
    return found


def view_logits(path: Path, squares: Pixels, views: int) -> Floats:
    """Mean logits [n, k] over mirrored views, as the engine averages them."""
    return np.asarray(np.mean([run(path, view) for view in mirrored(squares, views)], axis=0))
