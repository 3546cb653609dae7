"""The models that this release brings, as their manifests list them, and which of them a machine can hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parents[3] / "models"
FIRST = "dr"
"""The programme whose readings are measured."""
MB = 1_000_000


@dataclass(frozen=True)
class Model:
    """One tier of one programme; `memory_mb` of the process that reads with it, None where nobody measured it."""

    programme: str
    version: str
    tier: str
    bytes: int
    memory_mb: float | None
    sensitivity: float | None = None
    specificity: float | None = None

    @property
    def name(self) -> str:
        return f"{self.programme} {self.tier}"


def shipped(memory_mb: dict[str, float], models: Path = MODELS) -> tuple[Model, ...]:
    """Every tier of every manifest, the first programme first, its tiers from the largest on.

    `memory_mb`: of a process that reads with a tier of the first programme."""
    found = []
    for manifest in _manifests(models):
        for tier, row in manifest["tiers"].items():
            metrics = row.get("metrics", {})
            first = manifest["programme"] == FIRST
            found.append(
                Model(
                    manifest["programme"],
                    manifest["version"],
                    tier,
                    int(row["bytes"]),
                    memory_mb.get(tier) if first else None,
                    metrics.get("val_sensitivity") if first else None,
                    metrics.get("val_specificity") if first else None,
                )
            )
    return tuple(found)


@lru_cache(maxsize=4)
def _manifests(models: Path) -> tuple[dict[str, Any], ...]:
    paths = sorted(models.glob("*/manifest.json"), key=lambda path: (path.parent.name != FIRST, path.parent.name))
    return tuple(json.loads(path.read_text(encoding="utf-8")) for path in paths)


def tiers_of_first(models: tuple[Model, ...]) -> tuple[Model, ...]:
    """The tiers that grade eyes, the largest first."""
    return tuple(model for model in models if model.programme == FIRST)
