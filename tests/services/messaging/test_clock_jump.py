"""A clock that jumps while work waits: it waits neither longer for it nor shorter."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from phones import PATIENT

from services.channels.base import Kind
from services.messaging.clock_jump import JUMP_MS, ClockWatch, behind_ms, follow
from services.messaging.outbox import DELIVERY, enqueue, post
from services.messaging.relay import scheduler
from services.runtime import Runtime
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS
from services.store.tables import message, outbox, referral
from tests.services.messaging.conftest import START, Clock


def one(site: Runtime, table: sa.Table) -> Any:
    with site.db.read() as tx:
        return tx.execute(sa.select(table)).one()


def test_what_waits_goes_with_the_clock(site: Runtime, clock: Clock, code: str) -> None:  # noqa: ARG001
    with site.db.write() as tx:
        tx.execute(outbox.delete())
        enqueue(tx, DELIVERY, "send_message", {"message_id": 1}, key="again", not_before=START + MINUTE_MS)
    for days in (-1, 1, 400, -400):
        clock.after(days)
        with site.db.write() as tx:
            follow(tx, int(days * DAY_MS))
        assert one(site, outbox).not_before - clock.now == MINUTE_MS
        clock.now = START
        with site.db.write() as tx:
            follow(tx, -int(days * DAY_MS))


@pytest.mark.parametrize(
    ("state", "moves"),
    [("pending", ("expires_at",)), ("sending", ("expires_at", "sent_at")), ("sent", ()), ("unknown", ())],
)
def test_only_what_is_still_compared_with_the_present_moves(
    site: Runtime, clock: Clock, state: str, moves: tuple[str, ...]
) -> None:
    with site.db.write() as tx:
        post(tx, Kind.SMS, PATIENT, "Hello", key="m", purpose="reply", language="en")
        tx.execute(message.update().values(state=state, sent_at=START))
    before = one(site, message)
    with site.db.write() as tx:
        follow(tx, DAY_MS)
    after = one(site, message)
    moved = {name for name in ("created_at", "expires_at", "sent_at") if getattr(after, name) != getattr(before, name)}
    assert moved == set(moves)
    assert all(getattr(after, name) - getattr(before, name) == DAY_MS for name in moves)
    assert before.created_at == clock.now


def test_what_waits_for_nothing_stays(site: Runtime, clock: Clock) -> None:  # noqa: ARG001
    with site.db.write() as tx:
        enqueue(tx, DELIVERY, "send_message", {"message_id": 1}, key="at once")
        follow(tx, -DAY_MS)
    assert one(site, outbox).not_before == 0
    with site.db.read() as tx:
        assert tx.execute(sa.select(referral)).all() == []


@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(-5, 5).map(lambda hours: hours * HOUR_MS)), max_size=20))
def test_each_jump_is_seen_once_and_time_that_passes_is_none(steps: list[tuple[int, int]]) -> None:
    wall, steady = [10 * DAY_MS], [0.0]
    watch = ClockWatch(wall_ms=lambda: wall[0], steady_s=lambda: steady[0])
    for passes_ms, jump in steps:
        wall[0] += passes_ms + jump
        steady[0] += passes_ms / 1000
        assert abs(watch.jumped_ms() - jump) <= 1
        assert watch.jumped_ms() == 0


def test_a_clock_that_is_set_little_by_little_is_none() -> None:
    wall = [0]
    watch = ClockWatch(wall_ms=lambda: wall[0], steady_s=lambda: 0.0)
    wall[0] += JUMP_MS - 1
    assert watch.jumped_ms() == 0


@pytest.mark.parametrize(("off_days", "behind"), [(-30, -30), (0, 0), (2, 0)])
def test_a_start_with_the_clock_behind_the_newest_work(site: Runtime, clock: Clock, off_days: int, behind: int) -> None:
    """A machine that was off for two days is not told from a clock that went forward: time has passed."""
    with site.db.write() as tx:
        enqueue(tx, DELIVERY, "send_message", {"message_id": 1}, key="k", not_before=START + HOUR_MS)
    clock.after(off_days)
    with site.db.read() as tx:
        assert behind_ms(tx) == behind * DAY_MS


def test_the_scheduler_follows(site: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the clock a month behind at its start, and sees it set right while it runs."""
    monkeypatch.setattr("services.messaging.relay.duties", lambda *_: {})
    with site.db.write() as tx:
        enqueue(tx, DELIVERY, "send_message", {"message_id": 1}, key="k", not_before=START + HOUR_MS)
    clock.after(-30)
    looked: list[int] = []

    def stopping() -> bool:
        looked.append(one(site, outbox).not_before - clock.now)
        if len(looked) == 1:
            clock.now = START
        return len(looked) > 2

    scheduler(site, stopping=stopping)
    assert looked[0] == HOUR_MS
    assert abs(looked[-1] - HOUR_MS) < MINUTE_MS, "what passed meanwhile is none of it"
