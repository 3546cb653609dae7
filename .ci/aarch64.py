"""Whether every pinned requirement installs on 64-bit ARM Linux, a Raspberry Pi for one, without a compiler.

    make check-aarch64

Asks pip, for that machine and Python 3.11, and downloads next to nothing. A release that comes as source only passes
if it builds into a wheel of pure Python here. What pip chose goes to `.ci/aarch64.txt`, which a test holds to the pins.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements.txt"
FOUND = ROOT / ".ci" / "aarch64.txt"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
PLATFORMS = [f"--platform={name}_aarch64" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
MACHINE = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", *PLATFORMS]


def wheels(folder: str, *what: str) -> list[str]:
    """The wheels that pip would install there for a pin or `-r file`, none when it finds no wheel for one of them."""
    report = Path(folder) / "report.json"
    command = [*PIP, "install", "--dry-run", "--ignore-installed", "--no-deps", f"--target={folder}/there"]
    done = subprocess.run([*command, *MACHINE, f"--report={report}", *what], capture_output=True, check=False)
    if done.returncode:
        return []
    return [each["download_info"]["url"].rsplit("/", 1)[1] for each in json.loads(report.read_text())["install"]]


def pure(folder: str, pin: str) -> list[str]:
    """The wheel that its source builds into, if it holds no compiled code."""
    command = [*PIP, "wheel", "--no-deps", "--no-binary=:all:", f"--wheel-dir={folder}/{pin}", pin]
    subprocess.run(command, capture_output=True, check=False)
    return [path.name for path in Path(folder, pin).glob("*-none-any.whl")]


def main() -> int:
    lines = [line for line in PINS.read_text().splitlines() if "==" in line and not line.startswith("#")]
    pins = [line.partition(";")[0].strip() for line in lines]  # also what only some releases of Python need
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "pins.txt")
        asked.write_text("\n".join(pins))
        found = wheels(folder, "-r", str(asked))
        missing = []
        for pin in () if found else pins:  # one of them has no wheel: ask for each
            one = wheels(folder, pin) or pure(folder, pin)
            found += one
            missing += [] if one else [pin]
    for pin in missing:
        print(f"nothing that installs on aarch64 for {pin}")
    if not missing:
        FOUND.write_text("\n".join(sorted(found, key=str.lower)) + "\n")
        print(f"{len(found)} wheels for {len(pins)} pins, of which {sum('aarch64' in name for name in found)} compiled")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
