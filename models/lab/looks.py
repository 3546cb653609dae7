"""The log of looks at the test split: each one is a line in the programme's looks.json and in its card."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KEYS = ("auc", "sensitivity", "specificity")


def note(folder: Path, why: str, found: Mapping[str, Mapping[str, Any]], keys: Sequence[str] = KEYS) -> None:
    """Add a look: what for, and what each model showed. A look without a reason raises ValueError."""
    if not why:
        raise ValueError("say --why the test split is looked at; it goes into the card")
    log = folder / "looks.json"
    looks = json.loads(log.read_text()) if log.exists() else []
    shown = {name: {key: of[key] for key in keys} for name, of in found.items()}
    looks.append({"date": datetime.date.today().isoformat(), "why": why, "found": shown})
    log.write_text(json.dumps(looks, indent=1) + "\n")
