"""Makes copies by itself: the scheduler looks now and then, and has a process of its own make one when it is due."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.backup.making import last
from services.backup.place import site_place
from services.settings import Settings
from services.store.clock import HOUR_MS, now_ms

_APP = Path(__file__).resolve().parents[2] / "app.py"


class Schedule:
    """When the next copy is due, and the process that makes it. A copy that failed is tried again after an hour."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> bool:
        """Starts a copy if one is due. Whether it did."""
        if self._process is not None and self._process.poll() is None:
            return False
        self._process = None
        if not due(self._settings):
            return False
        command = [sys.executable, str(_APP), "backup", str(self._settings.backup_dir), "--by-itself"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        return True

    def stop(self) -> None:
        """Ends a copy that is being made; older ones are whole."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def due(settings: Settings) -> bool:
    """Whether a copy should be made now."""
    if settings.backup_dir is None or not settings.backup_hours:
        return False
    found, now = last(site_place(settings)), now_ms()
    made, failed = int(found.get("at_ms", 0)), int(found.get("failed_at_ms", 0))
    if made <= failed <= now < failed + HOUR_MS:
        return False
    return not made <= now < made + settings.backup_hours * HOUR_MS  # a clock that was set back makes one due, too
