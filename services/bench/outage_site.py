"""One site of the outage measurement, run behind its link: drives its stack by phone, and kills it now and then.

    python -m services.bench.outage_site DIRECTORY SCREENINGS SEED ENROLMENT_CODE

Says `{}` once it is enrolled; then answers "screen" (nine tenths of the screenings, with kills) and "last" (the rest,
without) with `{"codes": [...], "kills": n}`: the screenings whose photographs the gateway took.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from models.dr.phantom import draw
from services.bench.pipeline import open_screening
from services.bench.stack import NotInTime, Stack
from services.inference.engine import Engine, outcome_of
from services.screening.engines import MODELS
from services.screening.people import add_worker
from services.store.database import Database
from services.store.sealing import code_token

POSITIVE_SHARE = 0.12
KILLED_EVERY_S = (10.0, 40.0)
_HEALTHY, _REFERABLE, _SIDE = 4, 2, 480
_WORKERS = 60
# Nothing is rendered beforehand and the small model reads: two whole sites share this machine with the hub.
_PROBES = {"battery_percent": None, "on_mains": True, "memory_mb": 150}
_FAULTS = (httpx.HTTPError, NotInTime, IndexError, KeyError)


def main(directory: Path, screenings: int, seed: int, code: str) -> None:
    """Raises NotInTime when the stack does not start."""
    eyes = directory.parent / "eyes"
    healthy, referable = (
        [path.read_bytes() for path in sorted(eyes.glob(f"{kind}-*"))] for kind in ("rescreen", "refer")
    )
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "probes.json").write_text(json.dumps(_PROBES))
    random_ = random.Random(seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Stack({"JICHO_SYNC_SECONDS": "10"}, directory=directory) as stack:
        workers = [f"+2547{seed:02}{number:06}" for number in range(_WORKERS)]
        store = Database(f"sqlite:///{directory / 'jicho.db'}")
        with stack.keys(), store.write() as tx:
            for worker in workers:
                add_worker(tx, msisdn=worker, name="Achieng", language="en")
        store.close()
        stack.command("sync", "enrol", code)
        _say({})
        driver = Driver(stack, random_, workers, healthy, referable)
        last = max(1, screenings // 10)
        for line in sys.stdin:
            killed = line.strip() == "screen"
            _say(driver.screen(screenings - last if killed else last, killed=killed))


class Driver:
    """Screens patient after patient; a stack that died under it is started again."""

    def __init__(
        self, stack: Stack, random_: random.Random, workers: list[str], healthy: list[bytes], referable: list[bytes]
    ) -> None:
        self._stack, self._random, self._workers = stack, random_, workers
        self._healthy, self._referable = healthy, referable
        self._made = 0

    def screen(self, count: int, *, killed: bool) -> dict[str, Any]:
        """Screens `count` patients; `{"codes", "kills"}`."""
        codes: list[str] = []
        kills, due = 0, time.monotonic() + self._random.uniform(*KILLED_EVERY_S)
        while len(codes) < count:
            try:
                codes.append(self._one())
            except _FAULTS:
                # The stack is gone or coming back, or a dialogue broke off: another worker begins anew.
                self._workers.append(self._workers.pop(0))
                time.sleep(0.2)
            if killed and time.monotonic() > due:
                self._stack.kill()
                self._stack.start()
                kills, due = kills + 1, time.monotonic() + self._random.uniform(*KILLED_EVERY_S)
        with self._stack.keys():  # the store knows codes by their keyed hashes only
            return {"codes": [code_token(code) for code in codes], "kills": kills}

    def _one(self) -> str:
        """The code of one patient whose two photographs the gateway took. Raises one of _FAULTS."""
        worker = self._workers[0]
        code = open_screening(self._stack, worker)
        refers = self._random.random() < POSITIVE_SHARE
        for eye in ("left", "right"):
            self._made += 1
            picture = self._random.choice(self._referable if refers and eye == "left" else self._healthy)
            # A comment of its own makes each file another one, as each photograph is.
            comment = b"\xff\xfe" + (10).to_bytes(2, "big") + self._made.to_bytes(8, "big")
            content = picture[:2] + comment + picture[2:]
            self._stack.send_picture(worker, content, f"{code} {eye}", via="mm7")
        return code


def draw_eyes(directory: Path) -> None:
    """Writes drawn eyes that the small model calls healthy, and some that it refers, for all sites to send."""
    engine = Engine(MODELS, "dr", "light")
    directory.mkdir()
    wanted = {"rescreen": _HEALTHY, "refer": _REFERABLE}
    for seed in itertools.count():
        image = draw(seed, _SIDE, lesions=seed % 2 == 0)
        outcome = outcome_of(engine.read(image))
        if wanted.get(outcome):
            image.save(directory / f"{outcome}-{wanted[outcome]}.jpg", quality=90)
            wanted[outcome] -= 1
        if not any(wanted.values()):
            return


def _say(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
