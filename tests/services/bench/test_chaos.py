"""The chaos measurement: its plan, the disk that fails, the clock that jumps, and how a loss would be noticed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fhir_cases import NORMAL, read
from phones import WORKER, open_case

from services.bench.chaos_clinic import Promise
from services.bench.chaos_faults import FAULTS, plan
from services.bench.failing_disk import FailingDisk, NoDisk
from services.bench.judgement import judge
from services.bench.jumping_clock import JumpingClock, NoClock
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.store.tables import message, screening

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


def judged(site: Runtime, promised: list[Promise], ledger: list[dict[str, Any]]) -> dict[str, Any]:
    return judge(site.settings.store_url, ledger, promised)


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
    found = judged(site, [Promise("+1", "482913", "left")], ledger)
    assert (found["untold"], found["doubled_messages"]) == (untold, doubled)
    assert found["lost"] == 1, "a photograph without a reading is lost, told or not"


@pytest.mark.parametrize(
    ("read_eyes", "told", "unknown", "lost"),
    [
        (["left", "right"], ["left", "right"], [], 0),
        (["left"], ["left"], [], 1),
        (["left", "right"], ["left"], [], 1),
        (["left", "right"], ["left"], ["right"], 0),
        (["left", "right"], ["left"], ["left"], 1),  # a message in doubt does not excuse another
        (["left"], ["left"], ["right"], 1),
    ],
)
def test_each_photograph_is_judged_by_itself(
    site: Runtime, read_eyes: list[str], told: list[str], unknown: list[str], lost: int
) -> None:
    code = open_case(site)
    for eye in read_eyes:
        read(site, code, eye, NORMAL)
    with site.db.write() as tx:
        case = tx.execute(sa.select(screening.c.id)).scalar_one()
        for eye in unknown:
            common = {"key": eye, "purpose": "result-worker", "language": "en", "screening_id": case}
            number = post(tx, Kind.SMS, WORKER, f"{code} {eye} eye: REFER.", **common)
            tx.execute(message.update().where(message.c.id == number).values(state="unknown"))
    promised = [Promise(WORKER, code, eye) for eye in ("left", "right")]
    found = judged(site, promised, [sms(WORKER, f"{code} {eye} eye: REFER.") for eye in told])
    assert (found["lost"], found["doubled_results"]) == (lost, 0)


def test_a_result_that_is_doubled_does_not_hide_one_that_is_lost(site: Runtime) -> None:
    code = open_case(site)
    read(site, code, "left", NORMAL)
    read(site, code, "left", NORMAL)
    promised = [Promise(WORKER, code, eye) for eye in ("left", "right")]
    found = judged(site, promised, [sms(WORKER, f"{code} {eye} eye: REFER.") for eye in ("left", "right")])
    assert (found["lost"], found["doubled_results"]) == (1, 1)
