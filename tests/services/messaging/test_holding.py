"""A nearly empty battery: routine photographs wait in the store, urgent ones do not, and power brings it all back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from open_rows import texts
from phones import PATIENT, WORKER
from releases import release

from flows.catalogue import text
from models.dr.phantom import draw
from services import queue, runtime
from services.channels.base import Inbound, Kind, Media
from services.messaging.holding import hold_and_release
from services.messaging.inbox import receive
from services.runtime import Runtime
from services.screening import engines
from services.screening.cases import open_screening
from services.screening.people import add_worker
from services.site.probes import TOLD
from services.store.clock import HOUR_MS, now_ms
from services.store.tables import message, outbox, photo, reading


@pytest.fixture
def clinic(
    site: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """A site that looks at its battery at every turn, with two tiers."""
    monkeypatch.setattr("services.site.watch.FRESH_S", 0)
    monkeypatch.setattr(engines, "MODELS", release(tmp_path_factory.mktemp("release"), "full", "light"))
    engines.forget()
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    yield site
    engines.forget()


def charge(site: Runtime, percent: float, *, mains: bool = False) -> None:
    told = {"battery_percent": percent, "on_mains": mains, "memory_mb": None, "disk_mb": None}
    (site.settings.data_dir / TOLD).write_text(json.dumps(told))
    site.watch._due = 0.0


def send(site: Runtime, *, seed: int, priority: str = "routine", code: str = "", eye: str = "left") -> str:
    """A worker opens a screening, unless it is there, and sends one photograph. Its code."""
    if not code:
        with site.db.write() as tx:
            code = open_screening(
                tx,
                worker=WORKER,
                sex="female",
                birth_year=1961,
                phone=PATIENT,
                language="luo",
                consent_version="test",
                channel="ussd",
                priority=priority,
            )["code"]
    file = io.BytesIO()
    draw(seed, 480, lesions=True).save(file, "JPEG")
    media = (Media("image/jpeg", content=file.getvalue()),)
    assert receive(site, Inbound("mm7", Kind.MMS, f"{code}{eye}", WORKER, "", f"{code} {eye}", media))
    return code


def readings(site: Runtime) -> list[tuple[str, str]]:
    with site.db.read() as tx:
        rows = tx.execute(sa.select(reading.c.tier, reading.c.tier_reason).order_by(reading.c.id))
        return [(row.tier, row.tier_reason) for row in rows]


def work(site: Runtime) -> list[tuple[str, str]]:
    """Task and state of each reading that was asked for."""
    with site.db.read() as tx:
        rows = tx.execute(sa.select(outbox.c.task, outbox.c.state).where(outbox.c.queue == "inference"))
        return sorted((row.task, row.state) for row in rows)


def turn(site: Runtime) -> None:
    """What relay and worker do, in one process: hold, release, and perform what may be handed out."""
    hold_and_release(site)
    with site.db.read() as tx:
        due = sa.select(outbox.c.id).where(
            outbox.c.queue == "inference", outbox.c.state == "pending", outbox.c.not_before <= now_ms()
        )
        ids = tx.execute(due).scalars().all()
    for row_id in ids:
        queue.perform(row_id)


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("services.messaging.holding", __name__):
        monkeypatch.setattr(f"{module}.now_ms", lambda: HOUR_MS + 10**13)


def kept(site: Runtime) -> list[str]:
    with site.db.read() as tx:
        return texts(tx, message.c.dedupe_key.like("kept:%"))


def test_routine_waits_urgent_does_not_and_power_brings_all_back(
    clinic: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(clinic, 15)
    code = send(clinic, seed=1)
    send(clinic, seed=2, code=code, eye="right")
    send(clinic, seed=3, priority="urgent")
    for _ in range(5):
        turn(clinic)
    assert work(clinic) == [("read_photo", "held"), ("read_photo", "held"), ("read_urgent_photo", "done")]
    assert readings(clinic) == [("light", "battery-low")]
    assert kept(clinic) == [text("en", "photo-kept", code=code)], "once for two photographs"

    later(monkeypatch)
    charge(clinic, 23)
    turn(clinic)
    assert len(readings(clinic)) == 1, "not before it has recovered"
    charge(clinic, 26)
    turn(clinic)
    assert readings(clinic) == [("light", "battery-low")] + [("light", "battery-half")] * 2
    assert {state for _, state in work(clinic)} == {"done"}
    assert len(kept(clinic)) == 1


def test_mains_release_at_any_charge(clinic: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(clinic, 5)
    send(clinic, seed=1)
    turn(clinic)
    charge(clinic, 5, mains=True)
    later(monkeypatch)
    turn(clinic)
    assert readings(clinic) == [("full", "best")]


def test_a_worker_that_finds_the_battery_empty_gives_the_work_back(
    clinic: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(clinic, 80)
    code = send(clinic, seed=1)
    with clinic.db.write() as tx:
        row = tx.execute(sa.select(outbox.c.id).where(outbox.c.task == "read_photo")).scalar_one()
        tx.execute(outbox.update().where(outbox.c.id == row).values(state="dispatched"))
    charge(clinic, 10)
    for _ in range(10):
        queue.perform(row)
    assert work(clinic) == [("read_photo", "held")]
    assert kept(clinic) == [text("en", "photo-kept", code=code)]
    with clinic.db.read() as tx:
        held = tx.execute(sa.select(outbox).where(outbox.c.id == row)).one()
    assert (held.failures, held.round) == (0, 1), "waiting is no failure, and the queue gets a new name for it"
    charge(clinic, 80)
    hold_and_release(clinic)
    assert work(clinic) == [("read_photo", "held")], "not at once: two machines may disagree about their power"
    later(monkeypatch)
    turn(clinic)
    assert len(readings(clinic)) == 1


def test_a_power_cut_in_the_pause_loses_nothing(clinic: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(clinic, 12)
    send(clinic, seed=1)
    turn(clinic)
    # A new start: nothing in any process's memory, the queue emptied, and the battery a little better.
    runtime.current.cache_clear()
    fresh = runtime.current()
    assert fresh is not clinic
    with fresh.db.write() as tx:
        tx.execute(
            outbox.update().where(outbox.c.state == "dispatched").values(state="pending", round=outbox.c.round + 1)
        )
    charge(fresh, 22)
    later(monkeypatch)
    turn(fresh)
    assert work(fresh) == [("read_photo", "held")], "the pause goes on"
    charge(fresh, 70)
    turn(fresh)
    assert readings(fresh) == [("full", "best")]
    with fresh.db.read() as tx:
        assert tx.execute(sa.select(photo.c.state)).scalars().all() == ["read"]
    fresh.db.close()


def test_nothing_to_do_writes_nothing(clinic: Runtime) -> None:
    charge(clinic, 100)
    send(clinic, seed=1)
    before = work(clinic)
    assert hold_and_release(clinic) == 0
    assert work(clinic) == before == [("read_photo", "pending")]
