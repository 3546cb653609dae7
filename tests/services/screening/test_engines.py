"""One engine at a time, the one that fits, whatever a release holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from releases import release

from models.dr.phantom import draw
from services.inference.manifest import ModelError
from services.screening import engines

LOW, HALF, NONE = frozenset({"battery-low", "battery-half"}), frozenset({"battery-half"}), frozenset()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a release of the tiers named and lets the process use it."""

    def make(*tiers: str) -> Path:
        folder = release(tmp_path / "models", *tiers)
        monkeypatch.setattr(engines, "MODELS", folder)
        engines.forget()
        return folder / "dr"

    yield make
    engines.forget()


def test_the_engine_in_use_follows_what_the_site_can_afford(models: Any) -> None:
    models("full", "medium", "light")
    assert engines.engine("dr").tier.name == "full", "the best until another is chosen"
    for strain, tier, reason in (
        (NONE, "full", "best"),
        (HALF, "medium", "battery-half"),
        (LOW, "light", "battery-low"),
    ):
        assert engines.use("dr", strain, "urgent").tier == tier
        assert len(engines._IN_USE) == 1
        reading = engines.engine("dr").read(draw(1, 400))
        assert (reading.tier, reading.reason) == (tier, reason)
    light = engines.engine("dr")
    assert engines.use("dr", LOW, "routine").tier is None
    assert engines.engine("dr") is light, "waiting changes nothing"


def test_the_same_tier_is_loaded_once_and_its_reason_renewed(models: Any) -> None:
    models("full")
    engines.use("dr", NONE, "routine")
    first = engines.engine("dr")
    engines.use("dr", frozenset({"memory-low"}), "routine")
    assert engines.engine("dr") is first
    assert first.reason == "memory-low"


def test_a_damaged_tier_is_passed_over(models: Any) -> None:
    folder = models("full", "light")
    (folder / "light.onnx").write_bytes(b"not a model")
    assert engines.use("dr", LOW, "urgent").tier == "full"
    assert engines.engine("dr").reason == "tier-damaged"
    (folder / "full.onnx").unlink()
    engines.forget()
    with pytest.raises(ModelError):
        engines.use("dr", LOW, "urgent")
