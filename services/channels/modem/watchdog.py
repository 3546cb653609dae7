"""Modems hang. One that does not answer is opened anew, then reset, then its power is cut; each step is remembered,
since the process that was kept waiting ends and the launcher starts another."""

from __future__ import annotations

import json
import logging
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from services.durable import write_durably

_LOG = logging.getLogger(__name__)
ENDED = 75  # EX_TEMPFAIL
REOPEN, RESET, POWER = 1, 2, 3
_POWER_WAIT_S = 60
_LONGEST_PAUSE_S = 600.0


class Trouble:
    """How often in a row the modem did not answer."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def level(self) -> int:
        """0: none; REOPEN, RESET, POWER: what is due; above that: the power was cut and it did not help."""
        try:
            return int(json.loads(self._path.read_text())["level"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def rise(self, reason: str) -> int:
        """It did not answer again. The level it has now."""
        level = self.level + 1
        say = _LOG.error if level > RESET else _LOG.warning
        say("the modem does not answer", extra={"reason": reason, "level": level})
        try:
            write_durably(self._path, json.dumps({"level": level}).encode())
        except OSError as error:
            _LOG.warning("trouble not remembered", extra={"reason": str(error)})
        return level

    def end(self) -> None:
        """It answers."""
        if self._path.exists():
            _LOG.info("the modem answers again")
            self._path.unlink(missing_ok=True)

    def pause_s(self) -> float:
        """How long to leave it alone before it is tried once more: a broken modem must not be switched all day."""
        return min(30.0 * max(0, self.level - POWER), _LONGEST_PAUSE_S)


def cut_power(command: str) -> None:
    """Runs the operator's command, without a shell. Never raises."""
    if not command:
        return
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=_POWER_WAIT_S, check=False)
        _LOG.warning("the modem's power was cut", extra={"status": done.returncode})
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        _LOG.error("the modem's power could not be cut", extra={"reason": type(error).__name__})


class Watchdog:
    """Ends the process when a question is not answered: a call that hangs in the driver cannot be broken off."""

    def __init__(self, answer_s: float, trouble: Trouble, end: Callable[[int], None] = os._exit) -> None:
        self._answer_s, self._trouble, self._end = answer_s, trouble, end
        self._asked: float | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    def asked(self) -> None:
        """A question goes to the modem now."""
        self._asked = time.monotonic()

    def idle(self) -> None:
        """Nothing is asked."""
        self._asked = None

    def _watch(self) -> None:
        while True:
            asked = self._asked
            if asked is not None and time.monotonic() - asked > self._answer_s:
                self._trouble.rise("no answer")
                self._end(ENDED)
                return
            time.sleep(min(0.5, self._answer_s / 4))
