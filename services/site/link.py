"""Is the hub reachable, and since when? The process that syncs finds out; the others read what it wrote."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path

from services.durable import write_durably
from services.store.clock import now_ms

_FILE = Path("site", "link.json")
_WAIT_S = 5.0


@dataclass(frozen=True)
class Link:
    """Whether the hub answers and since when (ms UTC, by this machine's clock). None: nobody has tried."""

    up: bool | None = None
    since_ms: int | None = None


def reachable(host: str, port: int, *, wait_s: float = _WAIT_S) -> bool:
    """Whether somebody takes a connection there: three packets, some 180 bytes."""
    try:
        socket.create_connection((host, port), wait_s).close()
    except OSError:
        return False
    return True


def remembered(own_dir: Path) -> Link:
    """What the process that syncs found last. Never raises."""
    try:
        kept = json.loads((own_dir / _FILE).read_text(encoding="utf-8"))
        return Link(bool(kept["up"]), int(kept["since_ms"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Link()


def remember(own_dir: Path, up: bool) -> Link:
    """Notes what was found; `since_ms` changes only when the answer does. Raises OSError."""
    before = remembered(own_dir)
    if before.up == up:
        return before
    found = Link(up, now_ms())
    write_durably(own_dir / _FILE, json.dumps({"up": up, "since_ms": found.since_ms}).encode())
    return found
