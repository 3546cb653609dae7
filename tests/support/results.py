"""Results as sites record them, for the tests of sync and hub."""

from __future__ import annotations

from typing import Any

MODEL = {
    "tier": "full",
    "name": "dr",
    "version": "0.2.0",
    "sha256": "e8b51a3de04f2d6db206b0d56c6b1fb92b0487b6989a26e9834ac388bf33e95b",
    "threshold": 0.2471,
    "doubt": 0.1397,
    "oedema_threshold": 0.379,
}
AT = 1_795_655_170_000


def reading(eye: str = "left", outcome: str = "rescreen", **changes: Any) -> dict[str, Any]:
    """One photograph's reading."""
    return {
        "eye": eye,
        "outcome": outcome,
        "gradable": True,
        "quality": 0.98,
        "probability": 0.05 if outcome == "rescreen" else 0.9,
        "oedema": 0.02,
        "model": MODEL,
    } | changes


def result(outcome: str = "rescreen", **changes: Any) -> dict[str, Any]:
    """What is recorded of a decided screening."""
    return {
        "programme": "dr",
        "sex": "female",
        "birth_year": 1961,
        "priority": "routine",
        "outcome": outcome,
        "worker": 3,
        "opened_at": AT - 300_000,
        "decided_at": AT,
        "readings": [reading("left"), reading("right", outcome)],
    } | changes
