"""A clock that tests set, and a screening opened when it starts."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from phones import open_case

from services.runtime import Runtime
from services.store.clock import DAY_MS

START = int(datetime(2026, 11, 24, 9, tzinfo=UTC).timestamp() * 1000)  # noon in Nairobi


class Clock:
    def __init__(self) -> None:
        self.now = START

    def after(self, days: float) -> None:
        self.now = START + int(days * DAY_MS)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr("services.store.clock.time", SimpleNamespace(time_ns=lambda: told.now * 1_000_000))
    return told


@pytest.fixture
def code(site: Runtime, clock: Clock) -> str:  # noqa: ARG001 - the day on which it is opened
    return open_case(site, language="en")
