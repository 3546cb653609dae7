"""Two sites that screen behind a poor link and are killed without warning: is anything lost, doubled, sent twice?

Each site is the whole stack as `python app.py run` starts it, behind a link of its own; the hub is the real one over
TLS. Health workers dial codes and send photographs; the link comes and goes in random spells, each stack is killed at
random moments and started again. Then an outage while both go on screening, and the time from link-up until the hub has
every result.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.bench.link import Link, links
from services.bench.outage_site import draw_eyes
from services.bench.stack import NotInTime, free_port
from services.hub import tables as hub_tables
from services.settings import Settings
from services.store.database import Database
from services.store.tables import photo_upload, screening
from services.sync.photographs import CHOSEN, READY, SENDING

_APP = Path(__file__).resolve().parents[2] / "app.py"
SITES = 2
UP_SHARE, MEAN_SPELL_S = 0.6, 12.0
LAST_SHARE = 0.1  # of the screenings are made in the last outage
_PATIENCE_S, _DECIDED_WITHIN_S = 900.0, 120.0


class SiteUnderTest:
    """One site's driver (`services.bench.outage_site`) in a process behind its link."""

    def __init__(self, number: int, link: Link, directory: Path, screenings: int, code: str) -> None:
        self.link, self.directory = link, directory
        directory.mkdir(parents=True)
        self._log = (directory / "driver.log").open("wb")
        self._driver = subprocess.Popen(
            [
                *link.prefix,
                sys.executable,
                "-m",
                "services.bench.outage_site",
                str(directory),
                str(screenings),
                str(number),
                code,
            ],
            cwd=_APP.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.number = number

    def say(self, word: str) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.write(word + "\n")
        self._driver.stdin.flush()

    def heard(self) -> dict[str, Any]:
        """The driver's next line. Raises NotInTime when it died."""
        assert self._driver.stdout is not None
        line = self._driver.stdout.readline()
        if not line:
            raise NotInTime(
                f"site {self.number} died; its log ends:\n{(self.directory / 'driver.log').read_text()[-3000:]}"
            )
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        if self._driver.poll() is None:
            self._driver.send_signal(signal.SIGTERM)
            self._driver.wait(60)
        self._log.close()


def outage(screenings: int = 1000) -> dict[str, Any]:
    """`lost` (decided at a site and not, or otherwise, at the hub; or taken by the gateway and never decided),
    `doubled` (at the hub screenings that no site decided, and eyes beyond two), `resent_photo_bytes` (beyond one chunk
    a break), `catch_up_s` (from link-up until all results of an outage are in), and how it went."""
    directory = Path(tempfile.mkdtemp(prefix="jicho-outage-"))
    directory.chmod(0o755)
    random_ = random.Random(7)
    made: list[Link] = []
    port = free_port()
    try:
        draw_eyes(directory / "eyes")
        made = links(SITES, port)
        with _hub(directory / "hub", port) as environment:
            sites: list[SiteUnderTest] = []
            try:
                for number, link in enumerate(made, start=1):
                    code = _enrolment(environment, f"Site {number}", f"https://{link.host}:{link.port}")
                    sites.append(SiteUnderTest(number, link, directory / f"site-{number}", screenings // SITES, code))
                    sites[-1].heard()  # enrolled: the hub numbers sites in their order
                return _run(sites, directory / "hub" / "hub.db", random_) | {"link": made[0].kind}
            finally:
                for site in sites:
                    site.end()
    finally:
        for link in made:
            link.close()
        shutil.rmtree(directory, ignore_errors=True)


def _run(sites: list[SiteUnderTest], hub_store: Path, random_: random.Random) -> dict[str, Any]:
    began = time.monotonic()
    with _spells(sites, random_) as spells:
        for site in sites:
            site.say("screen")
        told = [site.heard() for site in sites]
    for site in sites:
        site.link.cut()
    for site in sites:
        site.say("last")
    told += [site.heard() for site in sites]
    stores = [Database(f"sqlite:///{site.directory / 'jicho.db'}") for site in sites]
    hub = Database(f"sqlite:///{hub_store}")
    codes = [set(one["codes"]) for one in told]
    with suppress(NotInTime):
        _wait(lambda: not _undecided(codes, stores), "every photograph to be read", _DECIDED_WITHIN_S)
    expected = [_decided(store) for store in stores]
    behind = sum(map(len, expected)) - len(_received(hub))
    for site in sites:
        site.link.raise_up()
    up = time.monotonic()
    _wait(lambda: len(_received(hub)) >= sum(map(len, expected)), "every result at the hub")
    caught_up = time.monotonic() - up
    _wait(lambda: not _photographs_waiting(stores), "every photograph at the hub")
    photographs = time.monotonic() - up
    received = _received(hub)
    wanted = {(number, ref): outcome for number, found in enumerate(expected, 1) for ref, outcome in found.items()}
    return {
        "screenings": sum(map(len, codes)),
        "lost": sum(received.get(key) != outcome for key, outcome in wanted.items()) + _undecided(codes, stores),
        "doubled": _doubled(hub) + len(received.keys() - wanted.keys()),
        "catch_up_s": round(caught_up, 1),
        "results_behind": behind,
        "photographs_s": round(photographs, 1),
        "kills": sum(one["kills"] for one in told),
        "spells": spells["count"],
        "up_share": round(spells["up_s"] / max(1e-9, spells["up_s"] + spells["down_s"]), 2),
        "took_s": round(time.monotonic() - began, 0),
        **_photographs_sent(hub),
    }


def _decided(store: Database) -> dict[int, str]:
    with store.read() as tx:
        rows = tx.execute(sa.select(screening.c.id, screening.c.outcome).where(screening.c.outcome.is_not(None)))
        return {row.id: row.outcome for row in rows}


def _undecided(codes: list[set[str]], stores: list[Database]) -> int:
    """Screenings whose photographs were taken and that have no outcome; `codes` holds each site's once and again."""
    return sum(len(mine - _decided_codes(store)) for mine, store in zip(codes, stores * 2, strict=True))


def _decided_codes(store: Database) -> set[str]:
    with store.read() as tx:
        return set(tx.execute(sa.select(screening.c.code).where(screening.c.outcome.is_not(None))).scalars())


def _received(hub: Database) -> dict[tuple[int, int], str]:
    result = hub_tables.result
    with hub.read() as tx:
        rows = tx.execute(
            sa.select(result.c.site_id, result.c.screening_ref, result.c.outcome).where(result.c.outcome.is_not(None))
        )
        return {(row.site_id, row.screening_ref): row.outcome for row in rows}


def _doubled(hub: Database) -> int:
    """Eyes beyond the two of each screening: a result that came twice would have left them."""
    eye = hub_tables.eye
    with hub.read() as tx:
        counts = tx.execute(sa.select(sa.func.count(eye.c.id)).group_by(eye.c.result_id)).scalars()
        return sum(max(0, count - 2) for count in counts)


def _photographs_waiting(stores: list[Database]) -> int:
    found = 0
    for store in stores:
        with store.read() as tx:
            waiting = photo_upload.c.state.in_((CHOSEN, READY, SENDING))
            found += tx.execute(sa.select(sa.func.count()).where(waiting)).scalar_one()
    return found


def _photographs_sent(hub: Database) -> dict[str, int]:
    """What came to the hub of photographs, and how much of it again: beyond each one's length, and one chunk for each
    time that its site had to ask where to go on, or to begin anew."""
    upload, photograph = hub_tables.upload, hub_tables.photograph
    chunk = 1024 * int(Settings.model_fields["sync_chunk_kb"].default)
    with hub.read() as tx:
        uploads = tx.execute(
            sa.select(
                sa.func.sum(upload.c.received).label("received"),
                (sa.func.sum(upload.c.resumed) + sa.func.count() - 1).label("breaks"),
                photograph.c.bytes,
            )
            .join(
                photograph,
                (photograph.c.site_id == upload.c.site_id) & (photograph.c.photo_ref == upload.c.photo_ref),
            )
            .group_by(photograph.c.id)
        ).all()
    return {
        "photographs": len(uploads),
        "photo_bytes": sum(row.bytes for row in uploads),
        "photo_bytes_received": sum(row.received for row in uploads),
        "photo_breaks": sum(row.breaks for row in uploads),
        "resent_photo_bytes": sum(max(0, row.received - row.bytes - row.breaks * chunk) for row in uploads),
    }


def _wait(condition: Callable[[], bool], what: str, seconds: float = _PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTime(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _hub(directory: Path, port: int) -> Iterator[dict[str, str]]:
    """The hub, serving; with the environment in which its commands run."""
    directory.mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JICHO_")} | {
        "JICHO_DATA_DIR": str(directory),
        "JICHO_HUB_DIR": str(directory),
        "JICHO_HUB_HOST": "0.0.0.0",
        "JICHO_HUB_PORT": str(port),
        "JICHO_LOG_LEVEL": "WARNING",
    }
    with (directory / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(_APP), "hub", "run"], env=environment, cwd=directory, stdout=log, stderr=log
        )
        try:
            _wait(lambda: _listens(port), "the hub to start", 60.0)
            yield environment
        finally:
            process.terminate()
            process.wait(30)


def _enrolment(environment: dict[str, str], name: str, url: str) -> str:
    """A code with which a site enrols at the hub that it finds at `url`."""
    done = subprocess.run(
        [sys.executable, str(_APP), "hub", "enrol", name],
        env=environment | {"JICHO_HUB_PUBLIC_URL": url},
        cwd=environment["JICHO_HUB_DIR"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def _spells(sites: list[SiteUnderTest], random_: random.Random) -> Iterator[dict[str, float]]:
    """Each link comes and goes by itself, up for UP_SHARE of the time; what came of it so far."""
    counted: dict[str, float] = {"count": 0, "up_s": 0.0, "down_s": 0.0}
    ended = threading.Event()

    def one(link: Link, own: random.Random) -> None:
        up = True
        while not ended.is_set():
            mean = 2 * MEAN_SPELL_S * (UP_SHARE if up else 1 - UP_SHARE)
            began = time.monotonic()
            ended.wait(own.expovariate(1 / mean))
            counted["up_s" if up else "down_s"] += time.monotonic() - began
            counted["count"] += 1
            up = not up
            link.raise_up() if up else link.cut()

    threads = [threading.Thread(target=one, args=(site.link, random.Random(random_.random()))) for site in sites]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        ended.set()
        for thread in threads:
            thread.join()
