"""Disk, clock, power: each broken in earnest, and what the doctor says of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from doctor_asked import Ask

from services.messaging.outbox import enqueue
from services.runtime import Runtime
from services.site.doctor.examination import CHECKS, worst
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.store.clock import DAY_MS, now_ms


@pytest.fixture
def small(site: Runtime, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Puts the data directory on a file system of a megabyte, and changes how that is mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("no right to mount a small file system here")
    site.settings = site.settings.model_copy(update={"data_dir": folder})
    yield lambda how: subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True) and None
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_healthy_disk(ask: Ask) -> None:
    ((level, says),) = ask("disk writes")
    assert (level, says[:29]) == ("fine", "a write is on the disk after ")
    assert ask("disk space")[0][0] == "fine"


def test_a_disk_that_fills(ask: Ask) -> None:
    ((level, says),) = ask("disk space", low_disk_mb=10**9)
    assert level == "warning"
    assert "less than JICHO_LOW_DISK_MB=1000000000" in says


def test_a_full_disk_and_a_read_only_one(ask: Ask, site: Runtime, small: Callable[[str], None]) -> None:
    (site.settings.data_dir / "full").write_bytes(os.urandom(2**20 - 8192))
    assert ask("disk writes") == [("broken", f"{site.settings.data_dir} does not take writes: No space left on device")]
    assert ask("disk space")[0] == ("broken", "the disk has 0 MB left: photographs are about to be refused")
    small("ro")
    assert "Read-only file system" in ask("disk writes")[0][1]


def test_secrets_that_others_can_read(ask: Ask, site: Runtime) -> None:
    site.settings.data_dir.chmod(0o750)
    assert ask("permissions") == []
    (site.settings.data_dir / "trial-secrets.json").chmod(0o644)
    ((level, says),) = ask("permissions")
    assert level == "broken"
    assert says.endswith("trial-secrets.json holds secrets and others on this machine can read it")


@pytest.mark.parametrize(
    ("ahead_ms", "level", "words"),
    [
        (0, "fine", "the clock says"),
        (-60_000, "warning", "60 s before the newest work here"),
        (-3 * DAY_MS, "broken", "3.0 days before the newest work here"),
        (-20 * 365 * DAY_MS, "broken", "before this release was made"),
    ],
)
def test_a_clock_that_went_back(
    ask: Ask, site: Runtime, monkeypatch: pytest.MonkeyPatch, ahead_ms: int, level: str, words: str
) -> None:
    began = now_ms() + 30 * DAY_MS  # the release's own day must not matter
    told = SimpleNamespace(time_ns=lambda: began * 1_000_000)
    monkeypatch.setattr("services.store.clock.time", told)
    with site.db.write() as tx:
        enqueue(tx, "speech", "render_clip", {}, key="newest")
    told.time_ns = lambda: (began + ahead_ms) * 1_000_000
    ((found, says),) = ask("clock")
    assert found == level
    assert words in says


@pytest.mark.parametrize(
    ("told", "level", "words"),
    [
        ({"on_mains": True, "battery_percent": None}, "fine", "on mains"),
        ({"on_mains": True, "battery_percent": 5}, "fine", "battery at 5 %"),
        ({"on_mains": False, "battery_percent": 80}, "warning", "on battery, 80 %"),
        ({"on_mains": False, "battery_percent": 5}, "broken", "only urgent photographs are read"),
    ],
)
def test_power(ask: Ask, site: Runtime, told: dict[str, object], level: str, words: str) -> None:
    (site.settings.data_dir / "probes.json").write_text(json.dumps(told))
    ((found, says),) = ask("power")
    assert (found, words in says) == (level, True)
    assert ask("probes")[0][0] == "warning", "what the probes are told is not what is so"


def test_a_ups_that_does_not_answer_and_little_memory(ask: Ask, site: Runtime) -> None:
    assert ask("memory", low_memory_mb=10**6)[0][0] == "warning"
    (site.settings.data_dir / "probes.json").unlink()
    site.__dict__.pop("watch", None)
    assert ("warning", "the UPS nowhere@localhost does not answer") in ask("power", ups="nowhere@localhost")


def test_a_check_that_fails_is_a_finding(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_site: Runtime) -> Iterator[Finding]:
        raise RuntimeError("a driver's fault")

    monkeypatch.setitem(CHECKS, "power", fails)  # type: ignore[arg-type]
    assert ask("power") == [("broken", "this could not be looked at: RuntimeError: a driver's fault")]


def test_the_worst_counts() -> None:
    assert worst([]) == "fine"
    assert worst([fine("a"), note("b")]) == "note"
    assert worst([warning("a", "b"), fine("c")]) == "warning"
    assert worst([warning("a", "b"), broken("c", "d"), note("e")]) == "broken"
