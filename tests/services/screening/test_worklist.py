"""A worker's lists: her own screenings, what each eye waits for, and nothing clinical."""

from __future__ import annotations

import pytest
from phones import WORKER, Chat, decide, open_case

from services.channels.base import Kind
from services.runtime import Runtime
from services.screening.people import add_worker, remove_worker
from services.screening.worklist import pending_of, recent_of
from services.store import clock
from services.store.tables import photo, reading, screening


def read(site: Runtime, photo_id: int, eye: str, outcome: str, *, gradable: bool) -> None:
    row = dict.fromkeys((c.name for c in reading.c if not c.nullable and c.name != "id"), "") | {
        "photo_id": photo_id,
        "screening_id": 1,
        "eye": eye,
        "outcome": outcome,
        "gradable": gradable,
        "quality_score": 1.0,
        "quality_reasons": [],
        "signs": [],
        "threshold": 0.2,
        "milliseconds": {},
        "read_at": 0,
    }
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == photo_id).values(state="read"))
        tx.execute(reading.insert().values(row))


def test_each_eye_says_what_it_waits_for(site: Runtime) -> None:
    code, chat = open_case(site), Chat(site, Kind.WHATSAPP)

    def eyes() -> tuple[str, str]:
        with site.db.read() as tx:
            (found,) = pending_of(tx, worker=WORKER)["screenings"]
        return found["left"], found["right"]

    assert eyes() == ("missing", "missing")
    chat.write(f"{code} L", photos=1)
    assert eyes() == ("reading", "missing")
    read(site, 1, "left", "retake", gradable=False)
    assert eyes() == ("retake", "missing")
    chat.write(f"{code} L", photos=1)
    read(site, 2, "left", "rescreen", gradable=True)
    assert eyes() == ("done", "missing")


@pytest.mark.parametrize("state", ["decided", "withdrawn"])
def test_what_is_over_is_only_among_the_last(site: Runtime, state: str) -> None:
    code = open_case(site)
    decide(site, code, "refer")
    with site.db.write() as tx:
        tx.execute(screening.update().values(state=state))
        assert pending_of(tx, worker=WORKER) == {"screenings": []}
        assert recent_of(tx, worker=WORKER) == {"screenings": [{"code": code, "state": state}]}


def test_the_newest_ten_of_this_worker_alone(site: Runtime) -> None:
    codes = [open_case(site) for _ in range(12)]
    with site.db.write() as tx:
        add_worker(tx, msisdn="+254711000009", name="Otieno")
        assert [each["code"] for each in recent_of(tx, worker=WORKER)["screenings"]] == codes[:1:-1]
        assert recent_of(tx, worker="+254711000009") == {"screenings": []}
        remove_worker(tx, msisdn=WORKER)
        assert recent_of(tx, worker=WORKER) == {"screenings": []}


def test_what_can_no_longer_be_photographed_does_not_wait(site: Runtime) -> None:
    open_case(site)
    with site.db.write() as tx:
        tx.execute(screening.update().values(opened_at=clock.now_ms() - 31 * clock.DAY_MS))
        assert pending_of(tx, worker=WORKER) == {"screenings": []}
