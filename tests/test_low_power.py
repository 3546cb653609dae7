"""The running service on a battery that empties: it holds back, says so once, survives a cut, and reads when it may."""

from __future__ import annotations

import io
import json
from typing import Any

import sqlalchemy as sa

from flows.catalogue import text
from models.dr.phantom import draw
from services.bench.pipeline import open_screening
from services.bench.stack import Stack
from services.screening.codes import code_of
from services.site.probes import TOLD
from services.store.database import Database
from services.store.tables import outbox, reading, screening

WORKER = "+254711000001"


def charge(stack: Stack, percent: float) -> None:
    (stack.directory / TOLD).write_text(json.dumps({"battery_percent": percent, "on_mains": False}))


def send(stack: Stack, code: str, seed: int) -> None:
    file = io.BytesIO()
    draw(seed, 600, lesions=True).save(file, "JPEG")
    stack.send_picture(WORKER, file.getvalue(), f"{code} left", via="mm7")


def test_photographs_wait_for_power_and_lose_nothing() -> None:
    with Stack() as stack:
        stack.command("worker", "add", WORKER, "Achieng", "--language", "en")
        routine, urgent = (open_screening(stack, WORKER) for _ in range(2))
        db = Database(f"sqlite:///{stack.directory / 'jicho.db'}")
        with stack.keys(), db.write() as tx:
            tx.execute(screening.update().where(screening.c.code == urgent).values(priority="urgent"))

        def texts() -> list[str]:
            return [entry["text"] for entry in stack.ledger() if entry["kind"] == "sms"]

        def read() -> list[Any]:
            with db.read() as tx:
                found = sa.select(screening, reading.c.tier_reason).join_from(reading, screening)
                with stack.keys():
                    return [(code_of(row), row.tier_reason) for row in tx.execute(found.order_by(reading.c.id))]

        charge(stack, 15)
        stack.wait_for(lambda: (stack.directory / "strain.json").exists(), "the shortage to be noticed")
        send(stack, routine, 1)
        send(stack, urgent, 2)
        stack.wait_for(lambda: any(f"{urgent} left eye: REFER" in each for each in texts()), "the urgent result")
        kept = text("en", "photo-kept", code=routine)
        stack.wait_for(lambda: kept in texts(), "word that the photograph is kept")
        assert read() == [(urgent, "battery-low")]
        with db.read() as tx:
            states = tx.execute(sa.select(outbox.c.state).where(outbox.c.task == "read_photo")).scalars().all()
        assert states == ["held"]

        stack.kill()
        stack.start()
        charge(stack, 80)
        stack.wait_for(lambda: any(f"{routine} left eye: REFER" in each for each in texts()), "the rest", seconds=60)
        assert read() == [(urgent, "battery-low"), (routine, "best")]
        assert texts().count(kept) <= 1, "the stand-in carrier forgets at a restart; nothing is sent twice"
        db.close()
