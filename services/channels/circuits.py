"""Which carriers work just now, for every process of a site: one that failed three times in a row comes last, until it
answers a probe and takes a message again.

No carrier is ever left out: where all are out of order, the message still goes to the first, as with a single carrier.
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from services.durable import write_durably
from services.store.clock import now_ms

_LOG = logging.getLogger(__name__)
_FILE = Path("site", "carriers.json")
FAILURES = 3
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 30_000, 600_000


@dataclass(frozen=True)
class Circuit:
    """`closed`: in use. `open`: comes last and is probed from `probe_at_ms` on. `trying`: it answered a probe, and one
    more failure opens it again. Times are ms UTC."""

    state: Literal["closed", "open", "trying"] = "closed"
    failures: int = 0
    since_ms: int = 0
    probe_at_ms: int = 0
    wait_ms: int = _FIRST_WAIT_MS
    reason: str = ""


class Circuits:
    """The circuits of one site, kept in its data directory and changed by one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _FILE

    def all(self) -> dict[str, Circuit]:
        """By carrier; one that never failed is missing. Never raises."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): Circuit(**circuit) for name, circuit in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def of(self, name: str) -> Circuit:
        """Never raises."""
        return self.all().get(name, Circuit())

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Those in use first, otherwise in the order given."""
        circuits = self.all()
        return sorted(names, key=lambda name: circuits.get(name, Circuit()).state == "open")

    def worked(self, name: str) -> None:
        """It took a message, or refused one for a reason that lies with the message."""
        if self.of(name) != Circuit():
            self._change(name, lambda _before: None)

    def failed(self, name: str, reason: str) -> None:
        """It did not take a message, or nobody knows whether it did."""

        def change(before: Circuit) -> Circuit:
            failures = before.failures + 1
            if before.state == "closed" and failures < FAILURES:
                return replace(before, failures=failures, reason=reason)
            return _opened(before, failures, reason)

        self._change(name, change)

    def due(self) -> list[str]:
        """The carriers to probe now. A clock that was set back does not make one wait for years."""
        now = now_ms()
        return [
            name
            for name, circuit in self.all().items()
            if circuit.state == "open" and not now < circuit.probe_at_ms <= now + _LONGEST_WAIT_MS
        ]

    def probed(self, name: str, fault: str) -> None:
        """What a probe of an open circuit found: empty if the carrier answers."""

        def change(before: Circuit) -> Circuit:
            if before.state != "open":
                return before
            return _opened(before, before.failures, fault) if fault else replace(before, state="trying")

        self._change(name, change)

    def _change(self, name: str, change: Callable[[Circuit], Circuit | None]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path.with_suffix(".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                circuits = self.all()
                before = circuits.pop(name, Circuit())
                after = change(before) or Circuit()
                if after == before:
                    return
                if after != Circuit():
                    circuits[name] = after
                kept = {other: asdict(circuit) for other, circuit in circuits.items()}
                write_durably(self._path, json.dumps(kept).encode())
        except OSError as error:  # a full disk must not stop a message
            _LOG.warning("carriers not remembered", extra={"reason": str(error)})
            return
        if after.state != before.state:
            _LOG.warning("carrier %s", after.state, extra={"carrier": name, "reason": after.reason})


def _opened(before: Circuit, failures: int, reason: str) -> Circuit:
    now = now_ms()
    wait = before.wait_ms if before.state == "closed" else min(2 * before.wait_ms, _LONGEST_WAIT_MS)
    since = now if before.state == "closed" else before.since_ms
    return Circuit("open", failures, since, now + wait, wait, reason)
