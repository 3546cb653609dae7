"""Where the released models lie, and the engine of each programme: one tier at a time, loaded once a process."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from services.inference.choose import Decision, Priority, choose
from services.inference.engine import Engine
from services.inference.manifest import ModelError, load
from services.site.strain import Strain

_LOG = logging.getLogger(__name__)
MODELS = Path(__file__).resolve().parents[2] / "models"
_IN_USE: dict[str, Engine] = {}


def engine(programme: str) -> Engine:
    """The programme's engine in use, verified and warm; the best one until another is chosen. Raises ModelError."""
    if programme not in _IN_USE:
        _IN_USE[programme] = Engine(MODELS, programme)
    return _IN_USE[programme]


def use(programme: str, strain: Strain, priority: Priority) -> Decision:
    """Puts the engine that fits into use, unless the work should wait. Raises ModelError when no tier can serve.

    A tier whose file is damaged is passed over for the next one: better another answer of known quality than none.
    """
    tiers = _tiers(programme)
    decision = choose(strain, priority, tiers)
    if decision.tier is None:
        return decision
    in_use = _IN_USE.get(programme)
    if in_use is None or in_use.tier.name != decision.tier:
        # The old one goes first: two would not fit the memory that a worker may have.
        in_use = None
        _IN_USE.pop(programme, None)
        in_use, decision = _load(programme, decision, tiers)
        _IN_USE[programme] = in_use
    in_use.reason = decision.reason
    return decision


def forget() -> None:
    """Takes every engine out of memory."""
    _IN_USE.clear()
    _tiers.cache_clear()


def _load(programme: str, decision: Decision, tiers: tuple[str, ...]) -> tuple[Engine, Decision]:
    assert decision.tier is not None
    for tier in (decision.tier, *(other for other in tiers if other != decision.tier)):
        try:
            loaded = Engine(MODELS, programme, tier)
        except ModelError as problem:
            _LOG.error("tier cannot serve", extra={"tier": tier, "reason": str(problem)})
            error = problem
            continue
        return loaded, decision if tier == decision.tier else Decision(tier, "tier-damaged")
    raise error


@lru_cache(maxsize=8)
def _tiers(programme: str) -> tuple[str, ...]:
    return tuple(load(MODELS, programme).tiers)
