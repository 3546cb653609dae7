"""The numbers by which a photograph is prepared and judged, for readers that are not written in Python.

`services/gateway/app/src/specification.json` is written from here when the web app is built, and a test fails when it
says anything else.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from services.inference import preprocess, quality

_PREPROCESS = ("SURVEY", "CHORD", "BORDER", "LIFT", "NOISE", "SQUEEZED", "FIT", "REDUCING_GAP")
_QUALITY = ("SIDE", "BLOCK", "STATISTICS", "SIGNS", "BOUNDED")


def specification() -> dict[str, Any]:
    """By module, what stands there under the same names; JSON has lists for tuples."""
    return {"preprocess": _named(preprocess, _PREPROCESS), "quality": _named(quality, _QUALITY)}


def _named(module: ModuleType, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names}
