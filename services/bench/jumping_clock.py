"""A wall clock that the processes of one stack believe, and that jumps when it is told to. Needs a C compiler."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock_shim.c")


class NoClock(Exception):
    """No compiler is here; the text says so."""


class JumpingClock:
    """Start processes with its `environment`; `set_ahead` takes effect in them at once."""

    def __init__(self, directory: Path) -> None:
        """Raises NoClock."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoClock("no C compiler is installed")
        library, self._file = directory / "clock.so", directory / "clock"
        command = [compiler, "-O1", "-fPIC", "-shared", "-o", str(library), str(_SOURCE), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoClock(f"{compiler} failed: {done.stderr.strip()[:300]}")
        self.set_ahead(0)
        self.environment = {"LD_PRELOAD": str(library), "BENCH_CLOCK": str(self._file)}

    def set_ahead(self, seconds: int) -> None:
        """How far the clock is ahead of the true one, in seconds; below 0: behind."""
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))
