"""Keeps an eye on the site, for every process of it: what it is short of now, and what it was short of before."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from services.durable import write_durably
from services.site.probes import Site, look
from services.site.strain import NONE, SHORTAGES, Limits, Strain, strain

_LOG = logging.getLogger(__name__)
_REMEMBERED = "strain.json"
FRESH_S = 2.0


class Watch:
    """The shortages of one machine. They are remembered in its own directory, so that its processes agree about a pause
    that one of them began, and so that it outlives a power cut. A data directory that others share counts too."""

    def __init__(
        self,
        own_dir: Path,
        limits: Limits,
        *,
        ups: str = "",
        data_dir: Path | None = None,
        fresh_s: float | None = None,
    ) -> None:
        self._own_dir, self._limits, self._ups, self._data_dir = own_dir, limits, ups, data_dir or own_dir
        self._fresh_s = FRESH_S if fresh_s is None else fresh_s
        self._due = 0.0
        self._now: Strain = NONE
        self._site = Site()

    def site(self) -> Site:
        """What the last look found; some seconds old at most. Never raises."""
        self.strain()
        return self._site

    def strain(self) -> Strain:
        """What the site is short of; some seconds old at most. Never raises."""
        began = time.monotonic()
        if began >= self._due:
            before = self._before()
            self._site = look(self._own_dir, self._ups, self._data_dir)
            self._now = strain(self._site, self._limits, before)
            ended = time.monotonic()
            # A UPS that hardly answers must not take up the relay's time.
            self._due = ended + max(self._fresh_s, 10 * (ended - began))
            if self._now != before:
                self._remember()
        return self._now

    def _before(self) -> Strain:
        try:
            kept = json.loads((self._own_dir / _REMEMBERED).read_text(encoding="utf-8"))
            return frozenset(shortage for shortage in SHORTAGES if shortage in kept)
        except (OSError, ValueError, TypeError):
            return NONE

    def _remember(self) -> None:
        _LOG.info("site", extra={"short_of": sorted(self._now)})
        try:
            write_durably(self._own_dir / _REMEMBERED, json.dumps(sorted(self._now)).encode())
        except OSError as error:  # a full disk is one of the shortages
            _LOG.warning("strain not remembered", extra={"reason": str(error)})
