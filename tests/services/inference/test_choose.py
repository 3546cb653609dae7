"""Which tier reads: the table, and what holds for every site, priority and release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.choose import TIERS, Decision, choose
from services.site.probes import Site
from services.site.strain import SHORTAGES, Limits, strain

ALL = ("full", "medium", "light")
PLENTY = Site(100, False, 4000, 9000)


@pytest.mark.parametrize(
    ("site", "priority", "tiers", "tier", "reason"),
    [
        (PLENTY, "routine", ALL, "full", "best"),
        (Site(), "routine", ALL, "full", "best"),
        (replace(PLENTY, battery_percent=49), "routine", ALL, "medium", "battery-half"),
        (replace(PLENTY, battery_percent=49), "urgent", ALL, "medium", "battery-half"),
        (replace(PLENTY, battery_percent=49), "routine", ("full", "light"), "light", "battery-half"),
        (replace(PLENTY, battery_percent=49), "routine", ("full",), "full", "battery-half"),
        (replace(PLENTY, battery_percent=19), "urgent", ALL, "light", "battery-low"),
        (replace(PLENTY, battery_percent=19), "urgent", ("full", "medium"), "medium", "battery-low"),
        (replace(PLENTY, battery_percent=19), "urgent", ("full",), "full", "battery-low"),
        (replace(PLENTY, battery_percent=19), "routine", ALL, None, "battery-low"),
        (replace(PLENTY, battery_percent=19), "background", ALL, None, "battery-low"),
        (replace(PLENTY, battery_percent=19, on_mains=True), "routine", ALL, "full", "best"),
        (replace(PLENTY, memory_mb=100), "routine", ALL, "light", "memory-low"),
        (replace(PLENTY, memory_mb=100, battery_percent=40), "routine", ALL, "light", "memory-low"),
        (replace(PLENTY, disk_mb=100), "routine", ALL, "full", "best"),
        (replace(PLENTY, disk_mb=100), "background", ALL, None, "disk-low"),
        (PLENTY, "background", ALL, "full", "best"),
        (PLENTY, "routine", ("light", "full"), "full", "best"),
        (PLENTY, "routine", ("light", "huge"), "light", "best"),
    ],
)
def test_table(site: Site, priority: Any, tiers: tuple[str, ...], tier: str | None, reason: str) -> None:
    assert choose(strain(site, Limits()), priority, tiers) == Decision(tier, reason)


@pytest.mark.parametrize("tiers", [(), ("huge",)])
def test_a_release_without_a_known_tier_is_refused(tiers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="none of full, medium, light"):
        choose(frozenset(), "routine", tiers)


def amount(most: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(0, most)


SITES = st.builds(Site, amount(100), st.none() | st.booleans(), amount(8000), amount(50_000))
PRIORITIES = st.sampled_from(["urgent", "routine", "background"])
RELEASES = st.sets(st.sampled_from(TIERS), min_size=1)
BEFORE = st.frozensets(st.sampled_from(SHORTAGES))
MANY = settings(derandomize=True, database=None, max_examples=500)


def rank(decision: Decision) -> int:
    """Larger for a larger tier; what waits uses nothing."""
    return 0 if decision.tier is None else len(TIERS) - TIERS.index(decision.tier)


@MANY
@given(SITES, PRIORITIES, RELEASES, BEFORE)
def test_urgent_never_waits_and_a_tier_is_one_of_the_release(
    site: Site, priority: Any, tiers: set[str], before: Any
) -> None:
    decision = choose(strain(site, Limits(), before), priority, tiers)
    assert decision.tier in tiers or decision.tier is None
    assert decision.tier is not None or priority != "urgent"
    assert decision.reason in ("best", *SHORTAGES)


@MANY
@given(
    SITES, PRIORITIES, RELEASES, BEFORE, st.floats(0, 1), st.sampled_from(["battery_percent", "memory_mb", "disk_mb"])
)
def test_less_never_chooses_a_larger_tier(
    site: Site, priority: Any, tiers: set[str], before: Any, share: float, resource: str
) -> None:
    had = getattr(site, resource)
    if had is None:
        return
    less = replace(site, **{resource: had * share})
    with_much, with_little = (choose(strain(each, Limits(), before), priority, tiers) for each in (site, less))
    assert rank(with_little) <= rank(with_much)


@MANY
@given(SITES, PRIORITIES, RELEASES, BEFORE)
def test_mains_never_choose_a_smaller_tier(site: Site, priority: Any, tiers: set[str], before: Any) -> None:
    on_battery, on_mains = (
        choose(strain(replace(site, on_mains=mains), Limits(), before), priority, tiers) for mains in (False, True)
    )
    assert rank(on_mains) >= rank(on_battery)
