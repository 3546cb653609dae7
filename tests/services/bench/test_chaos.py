"""The chaos measurement: its plan, the disk that fails, the clock that jumps, and how a loss would be noticed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.bench import chaos
from services.bench.chaos_clinic import Promise, Promises
from services.bench.chaos_faults import FAULTS, plan
from services.bench.failing_disk import FailingDisk, NoDisk
from services.bench.jumping_clock import JumpingClock, NoClock
from services.runtime import Runtime

ROUNDS = 500


@pytest.mark.parametrize("having", [set(), {"disk"}, {"clock"}, {"disk", "clock"}])
def test_every_fault_that_the_machine_allows_comes_as_often_as_its_share(having: set[str]) -> None:
    chosen = Counter(plan(ROUNDS, random.Random(1), having=having))
    assert chosen.total() == ROUNDS
    assert set(chosen) == {name for name, fault in FAULTS.items() if not fault.needs or fault.needs in having}
    if having == {"disk", "clock"}:
        assert all(abs(chosen[name] - ROUNDS * fault.share) <= 2 for name, fault in FAULTS.items())


def test_a_disk_fills_fails_and_is_repaired(tmp_path: Path) -> None:
    try:
        disk = FailingDisk(tmp_path, 24).__enter__()
    except NoDisk as reason:
        pytest.skip(str(reason))
    try:
        kept = disk.path / "kept"
        with kept.open("wb") as file:
            file.write(b"safe")
            os.fsync(file.fileno())
        disk.fill()
        with pytest.raises(OSError, match="No space"), (disk.path / "more").open("wb", buffering=0) as file:
            file.write(bytes(8192))
        disk.free()
        disk.fail()
        with pytest.raises(OSError, match="Read-only"):
            (disk.path / "another").touch()
        disk.repair()
        assert kept.read_bytes() == b"safe"
        (disk.path / "another").touch()
    finally:
        disk.__exit__(None, None, None)


def test_a_clock_jumps_for_those_who_believe_it(tmp_path: Path) -> None:
    try:
        clock = JumpingClock(tmp_path)
    except NoClock as reason:
        pytest.skip(str(reason))
    asks = (
        "import sys, time, datetime as d\n"
        "for _ in sys.stdin: print(time.time(), d.datetime.now().timestamp(), time.monotonic(), flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", asks],
        env=os.environ | clock.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def told() -> list[float]:
        process.stdin.write("\n")
        process.stdin.flush()
        return [float(word) for word in process.stdout.readline().split()]

    before = told()
    clock.set_ahead(-86_400)
    after = told()
    process.stdin.close()
    process.wait()
    assert [round((new - old) / 3600) for new, old in zip(after, before, strict=True)] == [-24, -24, 0]


def sms(number: str, text: str) -> dict[str, Any]:
    return {"kind": "sms", "msisdn": number, "text": text, "sender": "gateway"}


@pytest.mark.parametrize(
    ("ledger", "untold", "doubled"),
    [
        ([sms("+1", "482913 left eye: no referable signs. Now send the right eye.")], 0, 0),
        ([], 1, 0),
        ([sms("+2", "482913 left eye: REFER.")], 1, 0),
        ([sms("+1", "482913 left eye: REFER.")] * 2, 0, 1),
        ([sms("+1", "482913 left eye: RETAKE.")] + [sms("+1", "Thank you.")] * 3, 0, 0),
    ],
)
def test_what_was_promised_is_compared_with_what_was_carried(
    site: Runtime, ledger: list[dict[str, Any]], untold: int, doubled: int
) -> None:
    promises = Promises([Promise("+1", "482913", "left")], 1)
    found = chaos._judge(site.settings.data_dir, ledger, SimpleNamespace(promises=promises))  # type: ignore[arg-type]
    assert (found["untold"], found["doubled_messages"]) == (untold, doubled)
    assert found["lost"] == 1 + untold, (
        "a photograph without a reading is lost, and so is a result that nobody was told"
    )
