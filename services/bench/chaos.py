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
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from services.bench import chaos_faults
from services.bench.chaos_clinic import Clinic, Worker
from services.bench.chaos_faults import Site
from services.bench.failing_disk import FailingDisk, NoDisk
from services.bench.jumping_clock import JumpingClock, NoClock
from services.bench.live import LiveStack
from services.bench.outage_site import draw_eyes
from services.bench.percentile import percentile
from services.messaging.outbox import text_of
from services.screening.codes import code_of
from services.screening.people import add_worker
from services.store.database import Database
from services.store.phones import number_of
from services.store.tables import message, outbox, photo, reading, screening

SCREENINGS_A_ROUND = 10
_HANDS, _WORKERS_EACH = 5, 40
_DISK_MB = 4096
_MOST_BEHIND = 3 * SCREENINGS_A_ROUND
_RECOVERED_WITHIN_S, _DONE_WITHIN_S = 300.0, 1800.0
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
    draw_eyes(home / "eyes")
    eyes = tuple(
        [path.read_bytes() for path in sorted((home / "eyes").glob(f"{kind}-*"))] for kind in ("rescreen", "refer")
    )
    random_ = random.Random(11)
    numbers = [f"+254711{number:06}" for number in range(_HANDS * _WORKERS_EACH + rounds)]
    with LiveStack(data, carrier_directory=home / "carrier", **(clock.environment if clock else {})) as stack:
        with stack.keys():
            _add_workers(data, numbers)
        site = Site(stack, disk, clock, random_)
        clinic = Clinic(stack, numbers[rounds:], _HANDS, (eyes[0], eyes[1]))
        having = {name for name, there in (("disk", disk), ("clock", clock)) if there is not None}
        began, recoveries = time.monotonic(), []
        for number, name in enumerate(chaos_faults.plan(rounds, random_, having=having)):
            clinic.ask(SCREENINGS_A_ROUND - 1)
            lifted = chaos_faults.strike(site, name)
            canary = Worker(stack, [numbers[number]], 1000 + number, eyes[0], eyes[1])
            recoveries.append((name, _recovery_s(stack, clinic, canary, lifted)))
            while clinic.behind > _MOST_BEHIND:
                time.sleep(0.1)
        clinic.end()
        if clock:
            clock.set_ahead(0)
        waiting = _wait_until_done(data)
        ledger = stack.ledger()
        took = time.monotonic() - began
    with stack.keys():
        found = _judge(data, ledger, clinic)
    return {
        "rounds": rounds,
        "screenings": clinic.promises.screenings,
        **found,
        "still_waiting": waiting,
        "gave_up": len(clinic.failed),
        **_recovered([seconds for _, seconds in recoveries]),
        "by_fault": {
            name: {"rounds": len(times), **_recovered(times)}
            for name in chaos_faults.FAULTS
            if (times := [seconds for each, seconds in recoveries if each == name])
        },
        "took_s": round(took),
    }


def _add_workers(data: Path, numbers: list[str]) -> None:
    db = Database(f"sqlite:///{data / 'jicho.db'}")
    with db.write() as tx:
        for number in numbers:
            add_worker(tx, msisdn=number, name="Achieng", language="en")
    db.close()


def _recovery_s(stack: LiveStack, clinic: Clinic, canary: Worker, lifted: float) -> float:
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


def _recovered(seconds: list[float]) -> dict[str, float]:
    return {
        "recovery_median_s": round(percentile(seconds, 0.5), 2),
        "recovery_p99_s": round(percentile(seconds, 0.99), 2),
    }


def _wait_until_done(data: Path) -> int:
    """Waits until nothing is left to do but what is due in days. How much is left after half an hour."""
    until = time.monotonic() + _DONE_WITHIN_S
    while True:
        db = Database(f"sqlite:///{data / 'jicho.db'}")
        with db.read() as tx:
            soon = int(time.time() * 1000) + 2 * 3_600_000
            waits = outbox.c.state.in_(("pending", "dispatched", "held")) & (outbox.c.not_before < soon)
            left = tx.execute(sa.select(sa.func.count()).select_from(outbox).where(waits)).scalar_one()
            sending = message.c.state == "sending"
            left += tx.execute(sa.select(sa.func.count()).select_from(message).where(sending)).scalar_one()
        db.close()
        if not left or time.monotonic() > until:
            return int(left)
        time.sleep(1)


def _judge(data: Path, ledger: list[dict[str, Any]], clinic: Clinic) -> dict[str, Any]:
    """Photograph by photograph: one read twice does not make up for one that was never read. The process must have the
    site's keys."""
    carried = Counter(
        (entry["kind"], entry["msisdn"], _words(entry)) for entry in ledger if entry.get("sender") == "gateway"
    )
    told = {(number, _about(text)) for kind, number, text in carried if kind == "sms"}
    promised = clinic.promises.kept
    db = Database(f"sqlite:///{data / 'jicho.db'}")
    with db.read() as tx:
        sql = sa.select(message.c.state, sa.func.count()).group_by(message.c.state)
        states: dict[str, int] = {state: int(times) for state, times in tx.execute(sql)}
        readings, photographs = _by_eye(tx, reading), _by_eye(tx, photo)
        not_known = sa.select(message).where((message.c.state == "unknown") & (message.c.kind == "sms"))
        in_doubt = {(number_of(tx, row.recipient), _about(text_of(row))) for row in tx.execute(not_known)}
        failed = tx.execute(sa.select(sa.func.count(outbox.c.id)).where(outbox.c.state == "failed")).scalar_one()
    db.close()
    unread = {one for one in promised if not readings[one.about]}
    untold = {one for one in promised if (one.worker, one.about) not in told}
    return {
        "photographs": len(promised),
        "lost": len(unread | {one for one in untold if (one.worker, one.about) not in in_doubt}),
        "untold": len(untold),
        "doubled_results": sum(max(0, readings[one.about] - 1, photographs[one.about] - 1) for one in promised),
        "doubled_messages": sum(count - 1 for (_, _, text), count in carried.items() if _names_a_code(text)),
        "unknown_outcomes": states.get("unknown", 0),
        "failed_tasks": failed,
        "messages": states,
    }


def _by_eye(tx: sa.Connection, table: sa.Table) -> Counter[str]:
    """How many rows a table has of each code and eye."""
    case = (screening.c.code, screening.c.code_sealed)
    rows = tx.execute(sa.select(table.c.eye, *case).join_from(table, screening).where(table.c.eye.is_not(None)))
    return Counter(f"{code_of(row)} {row.eye}" for row in rows)


def _about(text: str) -> str:
    """The code and the eye with which a result for a worker begins."""
    return text.split(" eye", 1)[0]


def _words(entry: dict[str, Any]) -> str:
    """What one message of the gateway says."""
    return str(entry["text"] if entry["kind"] == "sms" else entry.get("message", ""))


def _names_a_code(text: str) -> bool:
    return any(len(word.strip(":,.")) == 6 and word.strip(":,.").isdigit() for word in text.split())
