"""Counting in a sliding minute: a flood is refused, the others are not, and memory is bounded."""

from __future__ import annotations

import pytest

from services.gateway import counting
from services.gateway.counting import Counter


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock's hand, in seconds."""
    now = [600.0]
    monkeypatch.setattr(counting, "monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("hand")
def test_one_flood_does_not_count_for_others() -> None:
    counter = Counter()
    assert [counter.allows("sms", "a", 3) for _ in range(5)] == [True] * 3 + [False] * 2
    assert counter.allows("sms", "b", 3)
    assert counter.allows("ussd", "a", 3), "another rule"
    assert all(counter.allows("sms", "c", 0) for _ in range(10)), "no limit"


def test_the_minute_slides(hand: list[float]) -> None:
    counter = Counter()
    for _ in range(10):
        counter.allows("sms", "a", 10)
    hand[0] += 60
    assert not counter.allows("sms", "a", 10), "the last minute counts in full at the beginning of this one"
    hand[0] += 30
    assert sum(counter.allows("sms", "a", 10) for _ in range(20)) == 5
    hand[0] += 120
    assert sum(counter.allows("sms", "a", 10) for _ in range(20)) == 10


def test_whoever_slows_down_is_let_through(hand: list[float]) -> None:
    counter = Counter()
    refused = 0
    for _ in range(600):
        hand[0] += 1
        refused += not counter.allows("sms", "a", 30)
    assert 250 <= refused <= 330, "half of a message a second is let through, not none"


@pytest.mark.usefixtures("hand")
def test_many_that_ask_once_take_no_more_room() -> None:
    counter = Counter(most_keys=100)
    for number in range(1_000):
        counter.allows("page", str(number), 5)
    assert len(counter._counts) == 100
