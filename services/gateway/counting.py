"""How often something happened in the last minute, in memory: no thread, no server, and bounded however many ask.

Each gateway counts for itself. Several of them let through as many times the limit: what is limited here is a flood,
not a quota.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from time import monotonic

WINDOW_S = 60.0
_MOST_KEYS = 20_000


class Counter:
    """Events by key in a sliding minute, estimated from this fixed minute and the share of the last that still counts
    (within a few percent of the exact count, at two numbers a key)."""

    def __init__(self, most_keys: int = _MOST_KEYS) -> None:
        self._lock = threading.Lock()
        self._most_keys = most_keys
        self._counts: OrderedDict[tuple[str, str], tuple[int, int, int]] = OrderedDict()

    def allows(self, rule: str, who: str, limit: int) -> bool:
        """Counts one more, unless the limit is reached: what is refused does not count, so that a flood that slows down
        is let through at once. A limit of 0 is none."""
        if not limit:
            return True
        window, passed = divmod(monotonic() / WINDOW_S, 1)
        with self._lock:
            began, count, before = self._counts.pop((rule, who), (int(window), 0, 0))
            if began != int(window):
                before, count = (count if began == int(window) - 1 else 0), 0
            allowed = count + before * (1 - passed) < limit
            self._counts[rule, who] = int(window), count + allowed, before
            if len(self._counts) > self._most_keys:
                self._counts.popitem(last=False)  # whoever was silent for longest
        return allowed
