"""Where the models lie, shipped and fetched, and the engine of each programme: one tier at a time, loaded once a
process, and again when another version came into use."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from services.inference.choose import Decision, Priority, choose
from services.inference.classes import Classifier
from services.inference.engine import Engine
from services.inference.manifest import ModelError, load
from services.inference.opening import AnyEngine, open_engine
from services.inference.risk import PROGRAMME as RISK
from services.inference.risk import RiskModel
from services.site.strain import Strain
from services.updates import installed
from services.updates.installed import MODELS

__all__ = ["MODELS", "classifier", "engine", "forget", "grader", "risk_model", "use"]

_LOG = logging.getLogger(__name__)
_IN_USE: dict[str, tuple[AnyEngine, Path]] = {}
"""Each with the `models` folder that was asked for: when another one is, a version came, failed or was withdrawn."""


def engine(programme: str) -> AnyEngine:
    """The programme's engine in use, verified and warm; the best one that came with Jicho until another is chosen.
    Raises ModelError."""
    if programme not in _IN_USE:
        _IN_USE[programme] = open_engine(MODELS, programme), MODELS
    return _IN_USE[programme][0]


def grader(programme: str) -> Engine:
    """The engine in use of a programme that grades. Raises ModelError."""
    found = engine(programme)
    if not isinstance(found, Engine):
        raise ModelError(f"{programme}: grades nothing")
    return found


def classifier(programme: str) -> Classifier:
    """The engine in use of a programme of classes. Raises ModelError."""
    found = engine(programme)
    if not isinstance(found, Classifier):
        raise ModelError(f"{programme}: has no classes")
    return found


def use(programme: str, strain: Strain, priority: Priority, fetched: Path | None = None) -> Decision:
    """Puts the engine that fits into use, unless the work should wait; of the newest version among those in `fetched`
    (data_dir/models) and the shipped one. Raises ModelError when no tier of any can serve.

    A version that fails gives way to the one before it, for all processes and at last to the shipped one. Of that a
    tier whose file is damaged is passed over for the next one: better another answer of known quality than none.
    """
    folders = installed.folders(fetched, programme, MODELS)
    tiers = _tiers_of(folders, programme)
    decision = choose(strain, priority, tiers)
    if decision.tier is None:
        return decision
    in_use = _IN_USE.get(programme)
    if in_use is None or in_use[0].tier.name != decision.tier or in_use[1] != folders[0]:
        # The old one goes first: two would not fit the memory that a worker may have; where there is little, not even
        # those of two programmes.
        in_use = None
        for each in [*_IN_USE] if "memory-low" in strain else [programme]:
            _IN_USE.pop(each, None)
        loaded, decision = _load(programme, decision, folders, fetched)
        in_use = loaded, installed.folders(fetched, programme, MODELS)[0]
        _IN_USE[programme] = in_use
    in_use[0].reason = decision.reason
    return decision


def risk_model(fetched: Path | None) -> RiskModel:
    """The symptom model in use, verified, loaded once a version. Raises ModelError."""
    folders = installed.folders(fetched, RISK, MODELS)
    for folder in folders[:-1]:
        try:
            return _risk_model(folder)
        except ModelError as problem:
            _failed(RISK, folder, fetched, problem)
    return _risk_model(folders[-1])


def forget() -> None:
    """Takes every engine out of memory."""
    _IN_USE.clear()
    _tiers.cache_clear()
    _risk_model.cache_clear()


def _load(programme: str, decision: Decision, folders: list[Path], fetched: Path | None) -> tuple[AnyEngine, Decision]:
    assert decision.tier is not None
    for folder in folders:
        try:
            return open_engine(folder, programme, decision.tier), decision
        except ModelError as problem:
            error = problem
            _failed(programme, folder, fetched, problem)
    for folder, tier in _tiers_in(folders, programme):
        if tier != decision.tier:
            try:
                return open_engine(folder, programme, tier), Decision(tier, "tier-damaged")
            except ModelError as problem:
                _LOG.error("tier cannot serve", extra={"tier": tier, "reason": str(problem)})
    raise error


def _failed(programme: str, folder: Path, fetched: Path | None, problem: ModelError) -> None:
    _LOG.error("model cannot serve", extra={"models": folder.name, "reason": str(problem)})
    if fetched is not None:
        try:
            installed.roll_back(fetched, programme, folder)
        except OSError as error:  # a full disk: the next process finds it out for itself
            _LOG.error("not rolled back", extra={"reason": str(error)})


def _tiers_of(folders: list[Path], programme: str) -> tuple[str, ...]:
    """The tiers of the first version whose manifest can be read. Raises ModelError."""
    first = next((folder for folder, _ in _tiers_in(folders, programme)), folders[-1])
    return _tiers(first, programme)


def _tiers_in(folders: list[Path], programme: str) -> Iterator[tuple[Path, str]]:
    """Every tier of every version whose manifest can be read; that the others fail is noticed when they are loaded."""
    for folder in folders:
        with suppress(ModelError):
            yield from ((folder, tier) for tier in _tiers(folder, programme))


@lru_cache(maxsize=16)
def _tiers(folder: Path, programme: str) -> tuple[str, ...]:
    return tuple(load(folder, programme).tiers)


@lru_cache(maxsize=1)
def _risk_model(folder: Path) -> RiskModel:
    return RiskModel(folder)
