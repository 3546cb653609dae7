"""Write models/<programme>/README.md, the model card, from what the other steps have measured. Its words are the
programme's own: `models/<programme>/card.py`.

    python -m models.lab.card
    python -m models.lab.card --programme maize
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path

from models.lab.programme import named
from models.lab.settings import read

MODELS = Path(__file__).resolve().parents[1]
SPLITS = ("val", "test")


@dataclass
class Settings:
    programme: str = "dr"
    models: str = str(MODELS)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def main(settings: Settings) -> Path:
    """Write the card. Raises ValueError when the metrics are of other graphs than the manifest's."""
    programme = named(settings.programme)
    folder = Path(settings.models) / programme.name
    manifest, metrics, looks = (
        json.loads((folder / name).read_text()) for name in ("manifest.json", "metrics.json", "looks.json")
    )
    for name, tier in manifest["tiers"].items():
        if metrics["tiers"].get(name, {}).get("model") != tier["sha256"]:
            raise ValueError(f"metrics.json has no figures of this {name}: run models.lab.evaluate first")
    path = folder / "README.md"
    page = importlib.import_module(f"models.{programme.name}.card")
    path.write_text(page.card(folder, manifest, metrics, looks))
    return path


if __name__ == "__main__":
    print(main(read(Settings)))
