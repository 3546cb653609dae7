"""One site, several processes, power cuts: they agree on what it is short of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.site.probes import TOLD
from services.site.strain import Limits
from services.site.watch import Watch


def told(directory: Path, percent: float, *, mains: bool = False) -> None:
    (directory / TOLD).write_text(
        json.dumps({"battery_percent": percent, "on_mains": mains, "memory_mb": None, "disk_mb": None})
    )


def watch(directory: Path) -> Watch:
    return Watch(directory, Limits(), fresh_s=0)


def test_a_pause_outlives_the_process_that_began_it(tmp_path: Path) -> None:
    told(tmp_path, 22)
    assert "battery-low" not in watch(tmp_path).strain()
    told(tmp_path, 19)
    assert "battery-low" in watch(tmp_path).strain()
    told(tmp_path, 22)
    assert "battery-low" in watch(tmp_path).strain(), "another process, at 22 %, still waits"
    told(tmp_path, 25)
    assert "battery-low" not in watch(tmp_path).strain()
    told(tmp_path, 22)
    assert "battery-low" not in watch(tmp_path).strain()


@pytest.mark.parametrize("spoilt", ["", "{", "7", "null", '{"a": 1}', '["gravity"]'])
def test_a_spoilt_memory_is_forgotten(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "strain.json").write_text(spoilt)
    told(tmp_path, 22)
    assert watch(tmp_path).strain() == {"battery-half"}


def test_a_disk_that_takes_nothing_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.site.watch.write_durably", full)
    told(tmp_path, 10)
    assert "battery-low" in watch(tmp_path).strain()


def test_it_does_not_look_at_every_turn(tmp_path: Path) -> None:
    seen = Watch(tmp_path, Limits(), fresh_s=3600)
    told(tmp_path, 90)
    assert seen.strain() == set()
    told(tmp_path, 10)
    assert seen.strain() == set()
