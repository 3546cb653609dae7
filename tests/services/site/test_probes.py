"""Probes say what they know, "unknown" otherwise, and never raise."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from services.site.probes import TOLD, Site, look, read_upsc


@pytest.mark.parametrize(
    ("output", "percent", "mains"),
    [
        ("battery.charge: 100\nups.status: OL\n", 100, True),
        ("battery.charge: 63\nbattery.runtime: 1200\nups.status: OB DISCHRG\n", 63, False),
        ("battery.charge: 40\nups.status: OL CHRG LB\n", 40, True),
        ("battery.charge: 40\nups.status: OB LB\n", 0, False),
        ("ups.status: OB\n", None, False),
        ("battery.charge: 130\nups.status: OB\n", 100, False),
        ("battery.charge: soon\nups.status: OFF\n", None, None),
        ("Init SSL without certificate database\n", None, None),
        ("", None, None),
    ],
)
def test_what_upsc_prints(output: str, percent: float | None, mains: bool | None) -> None:
    assert read_upsc(output) == Site(battery_percent=percent, on_mains=mains)


@pytest.fixture
def upsc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command `upsc` in front of the path: what it does is written by the test."""
    command = tmp_path / "bin" / "upsc"
    command.parent.mkdir()
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(psutil, "sensors_battery", lambda: SimpleNamespace(percent=77, power_plugged=False))
    return command


@pytest.mark.parametrize(
    ("script", "percent"),
    [
        ('test "$1" = ups@localhost && printf "battery.charge: 33\\nups.status: OB\\n"', 33),
        ("exit 1", 77),
        ("exec sleep 30", 77),
        (None, 77),
    ],
    ids=["answers", "fails", "hangs", "is not installed"],
)
def test_a_ups_counts_while_it_answers(
    tmp_path: Path, upsc: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, percent: float
) -> None:
    if script is None:
        monkeypatch.setenv("PATH", str(upsc.parent))
    else:
        upsc.write_text(f"#!/bin/sh\n{script}\n")
        upsc.chmod(0o755)
    monkeypatch.setattr("services.site.probes._UPS_WAIT_S", 0.5)
    found = look(tmp_path, "ups@localhost")
    assert (found.battery_percent, found.on_mains) == (percent, False)


def test_memory_and_disk_are_known(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert found.memory_mb is not None
    assert found.disk_mb is not None
    assert 0 < found.memory_mb < psutil.virtual_memory().total / 2**20
    assert 0 < found.disk_mb < psutil.disk_usage(str(tmp_path)).total / 2**20


def broken(*_: object) -> Any:
    raise OSError("no such sensor")


@pytest.mark.parametrize("battery", [broken, lambda: None])
def test_what_cannot_be_probed_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, battery: Any) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", battery)
    monkeypatch.setattr(psutil, "virtual_memory", broken)
    monkeypatch.setattr(psutil, "disk_usage", broken)
    assert look(tmp_path) == Site()
    monkeypatch.delattr(psutil, "sensors_battery")
    assert look(tmp_path) == Site()


def test_what_it_is_told_to_find_wins_and_the_rest_is_probed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: SimpleNamespace(percent=77, power_plugged=True))
    (tmp_path / TOLD).write_text(json.dumps({"battery_percent": 15, "memory_mb": None}))
    found = look(tmp_path)
    assert (found.battery_percent, found.on_mains, found.memory_mb) == (15, True, None)
    assert found.disk_mb is not None
    (tmp_path / TOLD).unlink()
    assert look(tmp_path).battery_percent == 77


@pytest.mark.parametrize(
    "words",
    ["{", "[]", '{"battery": 3}', '{"battery_percent": "low"}', '{"battery_percent": -1}', '{"on_mains": 1}', "\0\xff"],
)
def test_a_bad_file_is_not_believed_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: SimpleNamespace(percent=77, power_plugged=True))
    (tmp_path / TOLD).write_text(words)
    assert look(tmp_path).battery_percent == 77


def test_subprocess_is_not_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run(command: Any, **options: Any) -> Any:
        seen.append((command, options.get("shell", False), options["timeout"] > 0))
        return SimpleNamespace(stdout="ups.status: OL\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert look(tmp_path, "ups@localhost").on_mains
    assert seen == [(["upsc", "ups@localhost"], False, True)]
