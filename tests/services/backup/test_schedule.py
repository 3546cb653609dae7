"""Copies by themselves: when they are due, and never onto a mount point whose stick is away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import main
from services.backup import making
from services.backup.place import Place
from services.backup.schedule import Schedule, due
from services.runtime import Runtime
from services.store.clock import HOUR_MS, now_ms


@pytest.mark.parametrize(
    ("hours", "made_ago_h", "failed_ago_h", "expected"),
    [
        (24, None, None, True),
        (24, 1, None, False),
        (24, 25, None, True),
        (0, 25, None, False),
        (24, -2, None, True),  # the clock was set back
        (24, 30, 0.5, False),
        (24, 30, 2, True),
        (24, None, 0.5, False),
        (24, 1, 3, False),
    ],
)
def test_when_a_copy_is_due(
    site: Runtime, place: Place, hours: int, made_ago_h: float | None, failed_ago_h: float | None, expected: bool
) -> None:
    told = {
        name: now_ms() - int(ago * HOUR_MS)
        for name, ago in (("at_ms", made_ago_h), ("failed_at_ms", failed_ago_h))
        if ago is not None
    }
    (place.directory / "backup").mkdir(exist_ok=True)
    (place.directory / "backup" / "last.json").write_text(json.dumps(told))
    configured = site.settings.model_copy(update={"backup_dir": Path("stick"), "backup_hours": hours})
    assert due(configured) is expected
    assert not due(configured.model_copy(update={"backup_dir": None}))


def test_a_mount_point_without_its_stick_is_not_written_to(
    place: Place, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.commands.backup.os.nice", lambda _more: 0)  # this process has other tests to run
    done = CliRunner().invoke(main, ["backup", str(stick), "--by-itself"])
    assert (done.exit_code, "put the stick in" in done.output) == (1, True)
    assert list(stick.iterdir()) == []
    assert "is the stick in?" in making.last(place)["problem"]
    assert CliRunner().invoke(main, ["backup", str(stick)]).exit_code == 0
    done = CliRunner().invoke(main, ["backup", str(stick), "--by-itself"])
    assert (done.exit_code, done.output[:6]) == (0, "Copy 2")


def test_the_scheduler_has_a_process_of_its_own_make_it(
    site: Runtime, place: Place, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making.make(place, stick, keep=3)
    making._note(place, {"at_ms": now_ms() - 30 * HOUR_MS})
    monkeypatch.chdir(site.settings.data_dir.parent)
    schedule = Schedule(site.settings.model_copy(update={"backup_dir": stick}))
    assert schedule.look()
    assert not schedule.look(), "one at a time"
    assert schedule._process is not None
    assert schedule._process.wait(120) == 0
    assert making.last(place)["number"] == 2
    assert not schedule.look()
    schedule.stop()
