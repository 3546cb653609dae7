"""What may wait is held back in its order, until local midnight, in every process of the site."""

from __future__ import annotations

import json

import pytest

from services.ledger.budget import may_spend, spent
from services.ledger.entries import Use, begins_ms, spend
from services.ledger.money import NANO
from services.ledger.wire import Exchange
from services.runtime import Runtime
from services.store.clock import DAY_MS

DAY = "2026-03-02"
ALWAYS = ("results", "sms", "call", "ussd", "whatsapp", "mms", "hub-reports", "fhir", "web")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, site: Runtime) -> list[int]:
    now = [begins_ms(DAY) + DAY_MS // 2]
    for module in ("budget", "entries", "tally"):
        monkeypatch.setattr(f"services.ledger.{module}.now_ms", lambda: now[0])
    site.settings = site.settings.model_copy(update={"budget_usd_a_day": 2.0})
    return now


def pay(site: Runtime, usd: float, *, reported: bool = True) -> None:
    nano = round(usd * NANO)
    with site.db.write() as tx:
        spend(tx, Use("sms", "at", "up", cost_reported=nano if reported else 0, cost_estimated=0 if reported else nano))


def held(site: Runtime) -> list[str]:
    purposes = ("models", "voices", "photographs", *ALWAYS)
    return [purpose for purpose in purposes if not may_spend(site, purpose)]  # type: ignore[arg-type]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        (0.0, []),
        (0.999, []),
        (1.0, ["models", "voices"]),
        (1.599, ["models", "voices"]),
        (1.6, ["models", "voices", "photographs"]),
        (50.0, ["models", "voices", "photographs"]),
    ],
)
def test_models_first_then_photographs_never_the_rest(site: Runtime, usd: float, expected: list[str]) -> None:
    pay(site, usd / 2)
    pay(site, usd / 2, reported=False)
    assert held(site) == expected


def test_without_a_budget_nothing_waits(site: Runtime) -> None:
    pay(site, 1000)
    assert held(site) == []


def test_it_goes_on_at_local_midnight(site: Runtime, clock: list[int]) -> None:
    pay(site, 1.7)
    assert held(site) == ["models", "voices", "photographs"]
    clock[0] = begins_ms(DAY) + DAY_MS - 1
    assert held(site) == ["models", "voices", "photographs"]
    clock[0] += 1
    assert held(site) == []
    clock[0] -= 1  # the clock is set back over midnight: the day is spent as before
    assert held(site) == ["models", "voices", "photographs"]


@pytest.mark.usefixtures("clock")
def test_a_correction_lets_nothing_go_again(site: Runtime) -> None:
    pay(site, 1.7)
    assert not may_spend(site, "photographs")
    pay(site, -1.7)
    assert spent(site, DAY) == 0
    assert not may_spend(site, "photographs")
    assert may_spend(site, "models"), "it was never held"


@pytest.mark.usefixtures("clock")
def test_another_process_knows(site: Runtime) -> None:
    pay(site, 1.0)
    assert not may_spend(site, "models")
    other = Runtime(site.settings)
    pay(site, -1.0)
    assert not may_spend(other, "models")
    other.db.close()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kept", ["", "[]", '{"day": "2026-03-02"}', '{"held": 3, "day": "2026-03-02"}', "\x00"])
def test_a_damaged_memory_is_none(site: Runtime, kept: str) -> None:
    (site.settings.data_dir / "budget.json").write_text(kept)
    assert may_spend(site, "models")
    pay(site, 1.0)
    assert not may_spend(site, "models")
    assert json.loads((site.settings.data_dir / "budget.json").read_text()) == {"day": DAY, "held": ["models"]}


@pytest.mark.usefixtures("clock")
def test_what_is_not_written_yet_counts(site: Runtime) -> None:
    site.tally.record("photographs", "hub", Exchange(400_000_000, 0))
    assert 1.2 < spent(site, DAY) / NANO < 1.3
    assert held(site) == ["models", "voices"]
