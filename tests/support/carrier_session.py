"""A modem's or an SMPP carrier's session run in the test's own process, and what it gave to the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from services.channels.base import DeliveryReport, Inbound, Kind, Outbound, Receipt
from services.channels.outlets import Jobs, Outlets

PATIENT = "+254722000002"
Found = TypeVar("Found")


class Session(Protocol):
    jobs: Jobs

    def run(self, stopping: Callable[[], bool]) -> None: ...


@dataclass
class Store:
    """Takes what comes, once by its identity as the inbox does; `away` makes it refuse."""

    received: list[Inbound] = field(default_factory=list)
    reports: list[tuple[DeliveryReport, str]] = field(default_factory=list)
    away: int = 0

    def receive(self, inbound: Inbound) -> None:
        if self.away:
            self.away -= 1
            raise OSError("disk full")
        if inbound.provider_id not in [known.provider_id for known in self.received]:
            self.received.append(inbound)

    def outlets(self) -> Outlets:
        return Outlets(
            receive=self.receive,
            report=lambda report, number: self.reports.append((report, number)),
            late=lambda _reference, _receipt: None,
            token=lambda value: f"token of {value}",
            seal=lambda content: content[::-1],
            open=lambda sealed: sealed[::-1],
        )

    @property
    def texts(self) -> list[str]:
        return [inbound.text for inbound in self.received]

    @property
    def settled(self) -> list[tuple[str, str]]:
        return [(report.provider_id, str(report.state)) for report, _ in self.reports]


class Running:
    """A session in a thread of its own, which is where its journal is opened."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._stop = threading.Event()
        self._made: list[Session] = []
        self.ended: list[BaseException | None] = []

        def run() -> None:
            try:
                self._made.append(make())
                self._made[0].run(self._stop.is_set)
                self.ended.append(None)
            except BaseException as error:
                self.ended.append(error)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    @property
    def jobs(self) -> Jobs:
        return wait_for(lambda: self._made)[0].jobs

    def ready(self) -> Running:
        wait_for(lambda: not self.jobs.fault or self.ended)
        assert not self.ended, self.ended
        return self

    def send(self, text: str, to: str = PATIENT, begin: Callable[[], None] = lambda: None) -> Receipt:
        return self.jobs.take(Outbound(Kind.SMS, to, text, reference="7"), begin)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


def wait_for(condition: Callable[[], Found], seconds: float = 15.0) -> Found:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found
