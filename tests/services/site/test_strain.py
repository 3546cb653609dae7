"""Shortages begin at a limit and end above it."""

from __future__ import annotations

import pytest

from services.site.probes import Site
from services.site.strain import Limits, strain

LOW, HALF, MEMORY, DISK = "battery-low", "battery-half", "memory-low", "disk-low"


@pytest.mark.parametrize(
    ("site", "before", "found"),
    [
        (Site(), (), ()),
        (Site(100, False, 4000, 9000), (), ()),
        (Site(50, False), (), ()),
        (Site(49.9, False), (), (HALF,)),
        (Site(20, False), (), (HALF,)),
        (Site(19, False), (), (LOW, HALF)),
        (Site(0, False), (), (LOW, HALF)),
        (Site(24, False), (LOW, HALF), (LOW, HALF)),
        (Site(25, False), (LOW, HALF), (HALF,)),
        (Site(54, False), (HALF,), (HALF,)),
        (Site(55, False), (HALF,), ()),
        (Site(3, True), (LOW, HALF), ()),  # it fills
        (Site(None, True), (LOW, HALF), ()),
        (Site(15, None), (), (LOW, HALF)),  # a battery whose plug nobody knows may be emptying
        (Site(None, False), (), (HALF,)),
        (Site(None, None), (LOW, HALF), ()),
        (Site(memory_mb=199), (), (MEMORY,)),
        (Site(memory_mb=249), (), ()),
        (Site(memory_mb=249), (MEMORY,), (MEMORY,)),
        (Site(memory_mb=250), (MEMORY,), ()),
        (Site(disk_mb=499), (), (DISK,)),
        (Site(disk_mb=624), (DISK,), (DISK,)),
        (Site(disk_mb=625), (DISK,), ()),
        (Site(10, False, 10, 10), (), (LOW, HALF, MEMORY, DISK)),
    ],
)
def test_shortages(site: Site, before: tuple, found: tuple) -> None:
    assert strain(site, Limits(), frozenset(before)) == frozenset(found)


def test_a_battery_that_wavers_at_a_limit_changes_once() -> None:
    now = frozenset()
    seen = []
    for percent in (21, 20, 19, 20, 19, 21, 23, 24, 22, 25, 24, 21, 20):
        now = strain(Site(percent, False), Limits(), now)
        seen.append(LOW in now)
    assert seen == [False, False] + [True] * 7 + [False] * 4
