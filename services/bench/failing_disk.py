"""A disk of our own that can be full, fail and be repaired: an ext4 file system in a file. Needs root."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType


class NoDisk(Exception):
    """This machine or user cannot mount a file system; the text says why."""


class FailingDisk:
    """Mounted at `path` for as long as the context lasts."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        self.path = directory / "disk"
        self._image, self._megabytes = directory / "disk.img", megabytes

    def __enter__(self) -> FailingDisk:
        """Raises NoDisk."""
        self.path.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(self._megabytes * 1024 * 1024)
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self._mount()
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._unmount()
        self._image.unlink()

    def fill(self) -> None:
        """Leaves no byte free."""
        with (self.path / "filler").open("ab", buffering=0) as file:
            for block in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(block))
                except OSError:
                    continue

    def free(self) -> None:
        (self.path / "filler").unlink(missing_ok=True)

    def fail(self) -> None:
        """Ends all writing, as the kernel does after an error of a worn memory card. What was not yet on the disk is
        gone."""
        _run("mount", "-o", "remount,abort", str(self.path))

    def repair(self) -> None:
        """What a start does: checks the file system and mounts it anew. Nothing may use it meanwhile."""
        self._unmount()
        # 1: errors were corrected
        _run("e2fsck", "-f", "-p", str(self._image), fine=(0, 1))
        self._mount()
        self.free()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.path))

    def _unmount(self) -> None:
        for _ in range(50):  # what was killed lets go a moment later
            if subprocess.run(["umount", str(self.path)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        _run("umount", "--lazy", str(self.path))


def _run(*command: str, fine: tuple[int, ...] = (0,)) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PATH": f"{os.environ['PATH']}:/sbin"},
        )
    except FileNotFoundError:
        raise NoDisk(f"{command[0]} is not installed") from None
    if done.returncode not in fine:
        raise NoDisk(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[:300]}")
