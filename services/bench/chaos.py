"""A clinic to which everything happens: processes killed, power cut, disk full, queue wiped, clock jumping,
carriers failing, callbacks doubled. Is anything lost or done twice, and how soon is all well again?

One whole site with carriers of its own; health workers screen on through every fault. What they were promised is
compared with what the carriers carried, from outside, and with the store.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx

from services.bench import chaos_faults
from services.bench.chaos_clinic import Clinic, Worker
from services.bench.chaos_faults import Site
from services.bench.failing_disk import FailingDisk, NoDisk
from services.bench.judgement import judge, wait_until_done
from services.bench.jumping_clock import JumpingClock, NoClock
from services.bench.live import LiveStack
from services.bench.outage_site import draw_eyes
from services.bench.percentile import percentile
from services.screening.people import add_worker
from services.store.database import Database

SCREENINGS_A_ROUND = 10
_HANDS, _WORKERS_EACH = 5, 40
_DISK_MB = 4096
_MOST_BEHIND = 3 * SCREENINGS_A_ROUND
_RECOVERED_WITHIN_S = 300.0
# Nothing is rendered beforehand and the small model reads: the faults are measured here, not the models.
_PROBES = '{"battery_percent": null, "on_mains": true, "memory_mb": 150, "disk_mb": 10000}'


def chaos(rounds: int = 500) -> dict[str, Any]:
    """`rounds`, `screenings`, `lost` (photographs that the gateway took and that have no result, or whose result was
    never handed to the carrier though the store does not call that very message's outcome unknown), `doubled_results`,
    `doubled_messages`, `unknown_outcomes`, `recovery_median_s`, `recovery_p99_s` (from the end of a fault until a
    photograph of a new screening has its SMS), and all of it by fault."""
    home = Path(tempfile.mkdtemp(prefix="jicho-chaos-"))
    left_out: dict[str, str] = {}
    try:
        with ExitStack() as open_:
            disk = clock = None
            try:
                disk = open_.enter_context(FailingDisk(home, _DISK_MB))
            except NoDisk as reason:
                left_out["disk"] = str(reason)
            try:
                clock = JumpingClock(home)
            except NoClock as reason:
                left_out["clock"] = str(reason)
            return _run(home, disk, clock, rounds) | {"left_out": left_out}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(home: Path, disk: FailingDisk | None, clock: JumpingClock | None, rounds: int) -> dict[str, Any]:
    data = (disk.path if disk else home) / "data"
    data.mkdir()
    (data / "probes.json").write_text(_PROBES)
    store = f"sqlite:///{data / 'jicho.db'}"
    draw_eyes(home / "eyes")
    eyes = tuple(
        [path.read_bytes() for path in sorted((home / "eyes").glob(f"{kind}-*"))] for kind in ("rescreen", "refer")
    )
    random_ = random.Random(11)
    numbers = [f"+254711{number:06}" for number in range(_HANDS * _WORKERS_EACH + rounds)]
    with LiveStack(data, carrier_directory=home / "carrier", **(clock.environment if clock else {})) as stack:
        with stack.keys():
            add_workers(store, numbers)
        site = Site(stack, disk, clock, random_)
        clinic = Clinic(stack, numbers[rounds:], _HANDS, (eyes[0], eyes[1]))
        having = {name for name, there in (("disk", disk), ("clock", clock)) if there is not None}
        began, recoveries = time.monotonic(), []
        for number, name in enumerate(chaos_faults.plan(rounds, random_, having=having)):
            clinic.ask(SCREENINGS_A_ROUND - 1)
            lifted = chaos_faults.strike(site, name)
            canary = Worker(stack, [numbers[number]], 1000 + number, eyes[0], eyes[1])
            recoveries.append((name, told_within_s(stack, clinic, canary, lifted)))
            while clinic.behind > _MOST_BEHIND:
                time.sleep(0.1)
        clinic.end()
        if clock:
            clock.set_ahead(0)
        waiting = wait_until_done(store)
        ledger = stack.ledger()
        took = time.monotonic() - began
    with stack.keys():
        found = judge(store, ledger, clinic.promises.kept)
    return {
        "rounds": rounds,
        "screenings": clinic.promises.screenings,
        **found,
        "still_waiting": waiting,
        "gave_up": len(clinic.failed),
        **recovered([seconds for _, seconds in recoveries]),
        "by_fault": {
            name: {"rounds": len(times), **recovered(times)}
            for name in chaos_faults.FAULTS
            if (times := [seconds for each, seconds in recoveries if each == name])
        },
        "took_s": round(took),
    }


def add_workers(store: str, numbers: list[str]) -> None:
    """Has the site know these health workers."""
    db = Database(store)
    with db.write() as tx:
        for number in numbers:
            add_worker(tx, msisdn=number, name="Achieng", language="en")
    db.close()


def told_within_s(stack: LiveStack, clinic: Clinic, canary: Worker, lifted: float) -> float:
    """From `lifted` until a photograph of a screening that was opened since has its SMS. Raises NotInTime."""
    promised = canary.screen()
    clinic.promises.add(promised)
    first = promised[0]

    def told() -> bool:
        with suppress(httpx.HTTPError):
            found = stack.ask(f"inbox?msisdn=%2B{first.worker[1:]}")["messages"]
            return any(entry["text"].startswith(f"{first.code} {first.eye}") for entry in found)
        return False

    stack.wait_for(told, f"the first SMS after a fault, to {first.worker[-3:]}", seconds=_RECOVERED_WITHIN_S)
    return time.monotonic() - lifted


def recovered(seconds: list[float]) -> dict[str, float]:
    """Median and p99, by the names they have in what a measurement returns."""
    return {
        "recovery_median_s": round(percentile(seconds, 0.5), 2),
        "recovery_p99_s": round(percentile(seconds, 0.99), 2),
    }
