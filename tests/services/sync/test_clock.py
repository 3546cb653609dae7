"""A clock that goes back is noticed, outlives restarts, and ends when the hub says that it is right."""

from __future__ import annotations

from services.runtime import Runtime
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS
from services.sync import clock

NOON = 1_795_681_200_000


def behind(site: Runtime, at: int) -> int:
    with site.db.write() as tx:
        return clock.behind_ms(tx, at)


def rollbacks(site: Runtime) -> int:
    with site.db.read() as tx:
        return clock.rollbacks(tx)


def test_a_clock_that_runs_forward_is_never_behind(site: Runtime) -> None:
    assert [behind(site, NOON + minutes * MINUTE_MS) for minutes in (0, 1, 6, 60, 59.5)] == [0] * 5
    assert rollbacks(site) == 0


def test_a_clock_that_went_back_is_behind_until_it_caught_up(site: Runtime) -> None:
    behind(site, NOON)
    assert behind(site, NOON - DAY_MS) == DAY_MS
    assert behind(site, NOON - HOUR_MS) == HOUR_MS
    assert rollbacks(site) == 1, "one roll-back, seen twice"
    assert behind(site, NOON) == 0
    assert behind(site, NOON - DAY_MS) == DAY_MS
    assert rollbacks(site) == 2


def test_one_that_once_ran_ahead_is_set_right_by_the_hub(site: Runtime) -> None:
    behind(site, NOON + 365 * DAY_MS)
    assert behind(site, NOON) == 365 * DAY_MS
    with site.db.write() as tx:
        clock.told(tx, NOON, NOON + HOUR_MS)
    assert behind(site, NOON) == 365 * DAY_MS, "the hub says it is an hour off"
    with site.db.write() as tx:
        clock.told(tx, NOON, NOON + MINUTE_MS)
    assert behind(site, NOON) == 0
    assert behind(site, NOON - DAY_MS) == DAY_MS
    assert rollbacks(site) == 2
