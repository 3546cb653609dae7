"""How long the hub takes for a day of a thousand sites that all come back at once."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.bench.clinic import day
from services.bench.hub import HubStack
from services.bench.percentile import percentile
from services.bench.postgres import postgres
from services.hub.enrolment import issue, redeem
from services.hub.tables import eye, result
from services.store.database import Database
from services.sync.batch import Batch, Event, encode
from services.sync.client import HubClient
from services.sync.events import RESULT
from services.sync.identity import Identity

_SITES, _BATCHES, _BATCH = 1000, 4, 50
_DAYS = 25  # different days; what a batch costs the hub does not depend on whose it is
_PROCESSES, _THREADS = 2, 16  # 32 sites talk at the same moment
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class _Day:
    """A site's batches as they go over the wire, and how many readings are in them."""

    bodies: tuple[bytes, ...]
    readings: int


def sites() -> dict[str, Any]:
    """`seconds` from the first connection until the last answer, with `results` at the hub afterwards; `lost` and
    `doubled` among results and readings.

    A real hub: gunicorn, TLS, PostgreSQL (from tests/requirements.txt). Each site has its own key and connection and
    sends 4 batches of 50 results; every tenth sends its last one again, as if the answer had been lost. The sites run
    on the same cores as the hub; only their batches are made before the clock starts.
    """
    days = [_encoded(seed) for seed in range(_DAYS)]
    with postgres() as database_url, HubStack({"JICHO_HUB_DATABASE_URL": database_url}) as hub, hub.keys():
        db = Database(database_url)
        identities = _enrol(db, hub)
        before = _cpu_s(hub)
        seconds, waits = _sync_all(identities, days)
        cpu = _cpu_s(hub) - before
        got = _counts(db)
        db.close()
    wanted = {each.site: (_BATCHES * _BATCH, days[at % _DAYS].readings) for at, each in enumerate(identities)}
    pairs = [(got.get(site, (0, 0)), numbers) for site, numbers in wanted.items()]
    return {
        "seconds": round(seconds, 1),
        "results": sum(results for results, _ in got.values()),
        "readings": sum(readings for _, readings in got.values()),
        # Of results and of readings, site by site: more at one does not make up for fewer at another.
        "lost": sum(max(0, want - have) for had, wants in pairs for have, want in zip(had, wants, strict=True)),
        "doubled": sum(max(0, have - want) for had, wants in pairs for have, want in zip(had, wants, strict=True)),
        "sites": len(got),
        "batches": len(waits),
        "median_answer_s": round(percentile(waits, 0.5), 3),
        "p99_answer_s": round(percentile(waits, 0.99), 3),
        "hub_cpu_s": round(cpu, 1),
    }


def _encoded(seed: int) -> _Day:
    contents = day(seed, _BATCHES * _BATCH)
    events = [
        Event(seq, RESULT, seq, content, os.urandom(6) if seq % 10 < 7 else None)
        for seq, content in enumerate(contents, start=1)
    ]
    bodies = tuple(encode(Batch(events[at : at + _BATCH])) for at in range(0, len(events), _BATCH))
    return _Day(bodies, sum(len(content["readings"]) for content in contents))


def _enrol(db: Database, hub: HubStack) -> list[Identity]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    certificate = (hub.directory / "hub" / "certificate.pem").read_text()
    found = []
    with db.write() as tx:
        for number in range(_SITES):
            key = Ed25519PrivateKey.generate()
            word = issue(tx, f"Site {number}", hub.url, "").rpartition("#")[2]
            told = redeem(tx, word, key.public_key().public_bytes_raw())
            found.append(
                Identity(told.site_id, told.name, hub.url, certificate, key.private_bytes_raw(), told.patient_key)
            )
    return found


def _sync_all(identities: list[Identity], days: list[_Day]) -> tuple[float, list[float]]:
    """Seconds until all is answered, and how long each batch waited for its answer."""
    shares = [
        [
            (each, days[at % _DAYS].bodies, at % 10 == 0)
            for at, each in enumerate(identities)
            if at % _PROCESSES == share
        ]
        for share in range(_PROCESSES)
    ]
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        waits = pool.map(_sync_share, shares)
    return time.perf_counter() - began, [wait for share in waits for wait in share]


def _sync_share(share: list[tuple[Identity, tuple[bytes, ...], bool]]) -> list[float]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return [wait for waits in pool.map(_sync_one, share) for wait in waits]


def _sync_one(work: tuple[Identity, tuple[bytes, ...], bool]) -> list[float]:
    identity, bodies, answer_lost = work
    waits = []
    with HubClient(identity, timeout_s=_TIMEOUT_S) as client:
        for body in [*bodies, *bodies[-1:]] if answer_lost else bodies:
            began = time.perf_counter()
            client.post("/sync/batches", body, purpose="results")
            waits.append(time.perf_counter() - began)
    return waits


def _counts(db: Database) -> dict[int, tuple[int, int]]:
    """Of each site results and readings."""
    with db.read() as tx:
        rows = tx.execute(
            sa.select(
                result.c.site_id,
                sa.func.count(sa.distinct(result.c.id)).label("results"),
                sa.func.count(eye.c.id).label("readings"),
            )
            .outerjoin(eye, eye.c.result_id == result.c.id)
            .where(result.c.seq > 0)
            .group_by(result.c.site_id)
        )
        return {row.site_id: (row.results, row.readings) for row in rows}


def _cpu_s(hub: HubStack) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in hub.processes())
