"""Where the released models lie, and the engine of each programme, loaded once a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from services.inference.engine import Engine

MODELS = Path(__file__).resolve().parents[2] / "models"


@lru_cache(maxsize=4)
def engine(programme: str) -> Engine:
    """The programme's engine, verified and warm. Raises ModelError."""
    return Engine(MODELS, programme)
