"""The engine of a programme, whatever kind its manifest says it is."""

from __future__ import annotations

from pathlib import Path

from services.inference.classes import Classifier
from services.inference.engine import Engine
from services.inference.manifest import Classes, load

AnyEngine = Engine | Classifier


def open_engine(models_dir: Path, programme: str, tier: str | None = None) -> AnyEngine:
    """One tier of a programme, the best one unless named, verified and warm. Raises ModelError."""
    if isinstance(load(models_dir, programme), Classes):
        return Classifier(models_dir, programme, tier)
    return Engine(models_dir, programme, tier)
