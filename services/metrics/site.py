"""The figures of a site."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from prometheus_client.core import Metric

from services import VERSION
from services.metrics.exposition import Section, gauge
from services.runtime import Runtime
from services.site.strain import SHORTAGES
from services.store.clock import now_ms
from services.store.schema import schema_of
from services.store.tables import inbound, ledger_entry, message, outbox, photo, reading, screening, sync_event


def sections(site: Runtime) -> Mapping[str, Section]:
    """What there is to know of a site, by part."""
    return {
        "build": lambda: _build(site),
        "work": lambda: _work(site),
        "care": lambda: _care(site),
        "ledger": lambda: _ledger(site),
        "machine": lambda: _machine(site),
        "carriers": lambda: _carriers(site),
        "copies": lambda: _copies(site),
        "queue": lambda: _queue(site),
        "processes": _processes,
    }


def _build(site: Runtime) -> Iterator[Metric]:
    with site.db.read() as tx:
        schema = schema_of(tx) or ""
    yield gauge("build_info", "version of Jicho, schema of the store", ["version", "schema"], [((VERSION, schema), 1)])


def _work(site: Runtime) -> Iterator[Metric]:
    now = now_ms()
    with site.db.read() as tx:
        counted = tx.execute(
            sa.select(outbox.c.queue, outbox.c.state, sa.func.count())
            .where(outbox.c.state != "done")
            .group_by(outbox.c.queue, outbox.c.state)
        ).all()
        due = outbox.c.state == "pending", outbox.c.not_before <= now
        oldest = tx.execute(
            sa.select(
                outbox.c.queue,
                sa.func.min(sa.case((outbox.c.not_before > 0, outbox.c.not_before), else_=outbox.c.created_at)),
            )
            .where(*due)
            .group_by(outbox.c.queue)
        ).all()
        waiting = tx.execute(sa.select(sa.func.count()).where(sync_event.c.acked_at.is_(None))).scalar_one()
    yield gauge("outbox", "pieces of work that are not done", ["queue", "state"], [((q, s), n) for q, s, n in counted])
    since = [((queue,), max(0, now - at) / 1000) for queue, at in oldest]
    yield gauge("outbox_oldest_seconds", "how long the oldest due work has waited", ["queue"], since)
    yield gauge("sync_waiting", "results and visits that wait for the hub", (), [((), waiting)])


def _care(site: Runtime) -> Iterator[Metric]:
    with site.db.read() as tx:
        for name, says, columns in (
            ("messages", "messages by what became of them", (message.c.kind, message.c.state)),
            ("photographs", "photographs by state", (photo.c.state,)),
            ("inbound", "what came in", (inbound.c.carrier, inbound.c.kind)),
            ("screenings", "screenings by outcome; none: open", (screening.c.programme, screening.c.outcome)),
            ("readings", "photographs read", (reading.c.tier, reading.c.outcome)),
        ):
            rows = tx.execute(sa.select(*columns, sa.func.count()).group_by(*columns)).all()
            values = [(tuple(str(each or "none") for each in row[:-1]), row[-1]) for row in rows]
            yield gauge(name, says, [column.name for column in columns], values)


def _ledger(site: Runtime) -> Iterator[Metric]:
    by = (ledger_entry.c.purpose, ledger_entry.c.direction)
    with site.db.read() as tx:
        cost = sa.func.sum(ledger_entry.c.cost_reported + ledger_entry.c.cost_estimated)
        query = (
            sa.select(*by, sa.func.sum(ledger_entry.c.wire_bytes), cost).where(~ledger_entry.c.simulated).group_by(*by)
        )
        rows = tx.execute(query).all()
    labels = ["purpose", "direction"]
    yield gauge("ledger_bytes", "bytes over the wide-area link", labels, [((p, d), float(b)) for p, d, b, _ in rows])
    yield gauge(
        "ledger_cost_usd", "what it cost, in dollars", labels, [((p, d), float(c) / 1e9) for p, d, _, c in rows]
    )


def _machine(site: Runtime) -> Iterator[Metric]:
    short, seen = site.watch.strain(), site.watch.site()
    known = {
        "battery_percent": ("charge of the battery", seen.battery_percent),
        "on_mains": ("whether mains are there", seen.on_mains),
        "memory_available_bytes": ("memory that can be had", seen.memory_mb and seen.memory_mb * 2**20),
        "disk_free_bytes": ("room in the data directory", seen.disk_mb and seen.disk_mb * 2**20),
        "link_up": ("whether the hub answers", seen.link),
    }
    for name, (says, value) in known.items():
        if value is not None:
            yield gauge(name, says, (), [((), float(value))])
    yield gauge("short_of", "what the site is short of", ["what"], [((each,), each in short) for each in SHORTAGES])


def _carriers(site: Runtime) -> Iterator[Metric]:
    from services.channels.state import carriers_of

    values = [((carrier.name,), float(not carrier.fault)) for carrier in carriers_of(site.settings)]
    yield gauge("sms_carrier_up", "whether an SMS carrier takes messages", ["carrier"], values)


def _copies(site: Runtime) -> Iterator[Metric]:
    from services.backup.making import last
    from services.backup.place import site_place

    found = last(site_place(site.settings))
    yield gauge(
        "backup_last_timestamp_seconds", "when the newest copy was made", (), [((), found.get("at_ms", 0) / 1000)]
    )
    yield gauge(
        "backup_failed", "whether the last copy could not be made", (), [((), float(bool(found.get("problem"))))]
    )


def _queue(site: Runtime) -> Iterator[Metric]:
    from services.queue import census

    jobs, workers = census(site.settings.queue_url)
    yield gauge("queue_jobs", "jobs in the queue server", ["queue"], [((name,), n) for name, n in jobs.items()])
    yield gauge(
        "queue_workers", "workers that have spoken lately", ["queue"], [((name,), n) for name, n in workers.items()]
    )


def _processes() -> Iterator[Metric]:
    """This launcher's children, or this process alone."""
    import psutil

    parent = psutil.Process(os.getppid())
    here = psutil.Process()
    family = [parent, *parent.children()] if parent.cmdline()[-1:] == ["run"] else [here]
    memory, processor = [], []
    for process in family:
        try:
            words = process.cmdline()
            name = " ".join(words[2:5]) if words[1:2] and words[1].endswith("app.py") else "queue-server"
            used = process.cpu_times()
            memory.append(((name,), float(process.memory_info().rss)))
            processor.append(((name,), used.user + used.system))
        except psutil.Error:  # it ended just now
            continue
    yield gauge("process_resident_bytes", "memory of each process", ["process"], memory)
    yield gauge("process_cpu_seconds", "processor time of each process since it began", ["process"], processor)
