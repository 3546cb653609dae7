"""Every pin installs on 64-bit ARM: `make check-aarch64` asked the package index; its answer is held to the pins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)(?: ; .+)?$")


def pins() -> list[tuple[str, str]]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    found = [PIN.match(line) for line in lines if line and not line.startswith("#")]
    assert all(found), "every requirement is pinned to one version"
    return [(match[1], match[2]) for match in found if match]


def named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def wheels() -> dict[tuple[str, str], str]:
    """Name and version to the last part of the file's name, its machine."""
    names = (ROOT / ".ci" / "aarch64.txt").read_text().split()
    parts = [name.removesuffix(".whl").split("-") for name in names]
    return {(named(part[0]), part[1]): part[-1] for part in parts}


@pytest.mark.parametrize(("name", "version"), pins(), ids=lambda value: value)
def test_a_pin_has_a_wheel_for_arm(wheels: dict[tuple[str, str], str], name: str, version: str) -> None:
    machine = wheels.get((named(name), version))
    assert machine is not None, f"{name}=={version} was never asked for: run `make check-aarch64`"
    assert machine == "any" or machine.endswith("aarch64")
