"""The log of looks at the test split: each one is a line in models/dr/looks.json and in the card."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def note(folder: Path, why: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Add a look: what for, and what each model showed. A look without a reason raises ValueError."""
    if not why:
        raise ValueError("say --why the test split is looked at; it goes into the card")
    log = folder / "looks.json"
    looks = json.loads(log.read_text()) if log.exists() else []
    shown = {name: {key: of[key] for key in ("auc", "sensitivity", "specificity")} for name, of in found.items()}
    looks.append({"date": datetime.date.today().isoformat(), "why": why, "found": shown})
    log.write_text(json.dumps(looks, indent=1) + "\n")
