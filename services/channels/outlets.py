"""What a process that holds a carrier's session is given: where to put what comes in, and what must go out."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.channels.base import ChannelError, DeliveryReport, Inbound, Outbound, Receipt
from services.channels.held import BEGIN_S, Begin
from services.durable import write_durably
from services.store.clock import now_ms

_FRESH_MS = 300_000


@dataclass(frozen=True)
class Outlets:
    """The store's end: each returns once what it was given is safe. `token` and the seals are the site's keyring's."""

    receive: Callable[[Inbound], None]
    report: Callable[[DeliveryReport, str], None]
    """A delivery report, and the number that the message went to."""
    late: Callable[[str, Receipt], None]
    """A receipt whose asker is gone, and the reference of its message."""
    token: Callable[[str], str]
    seal: Callable[[bytes], bytes]
    open: Callable[[bytes], bytes]


@dataclass
class Job:
    """One message that waits for the session. Its outcome is a receipt, ChannelError or Gone."""

    message: Outbound
    begin: Begin
    outcome: Future[Receipt] = field(default_factory=Future)


class Jobs:
    """Messages on their way from the threads that accept them to the one thread that speaks with the carrier.

    `fault`: why the session takes nothing now; a message is then refused at once, so that another carrier gets it.
    """

    def __init__(self, name: str, wake: Callable[[], None] = lambda: None, *, patience_s: float = BEGIN_S) -> None:
        self._name, self._wake, self._patience_s = name, wake, patience_s
        self._waiting: queue.Queue[Job] = queue.Queue()
        self.fault = "starting"

    def take(self, message: Outbound, begin: Begin) -> Receipt:
        """Waits for its turn and its outcome. Raises ChannelError, Gone."""
        if self.fault:
            raise ChannelError(f"{self._name}: {self.fault}")
        job = Job(message, begin)
        self._waiting.put(job)
        self._wake()
        try:
            return job.outcome.result(self._patience_s)
        except TimeoutError:
            if job.outcome.cancel():
                raise ChannelError(f"{self._name}: busy") from None
        return job.outcome.result()

    def next(self, wait_s: float) -> Job | None:
        """The message whose turn it is, or None if none came in time. It is no longer taken back."""
        try:
            while True:
                job = self._waiting.get(timeout=wait_s) if wait_s > 0 else self._waiting.get_nowait()
                if job.outcome.set_running_or_notify_cancel():
                    return job
        except queue.Empty:
            return None


class Status:
    """What the others of a site see of a session: a file of its data directory, written when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: dict[str, Any] = {}
        self._at = 0

    def say(self, **found: Any) -> None:
        """Raises nothing: a full disk must not stop messages."""
        now = now_ms()
        if found == self._said and 0 <= now - self._at < _FRESH_MS:
            return
        try:
            write_durably(self._path, json.dumps(found | {"at_ms": now}).encode())
            self._said, self._at = found, now
        except OSError:
            pass


def status_path(data_dir: Path, name: str) -> Path:
    """Where the session of carrier `name` says how it is."""
    return data_dir / "site" / f"{name}.json"


def status_of(data_dir: Path, name: str) -> dict[str, Any]:
    """What it said last; empty if it never did. Never raises."""
    try:
        found = json.loads(status_path(data_dir, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
