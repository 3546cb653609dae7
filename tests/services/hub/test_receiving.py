"""Batches that come twice, late, in pieces or in another order leave what they would have left once and in order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from results import AT, reading, result

from services.bench.postgres import postgres
from services.hub import receiving, results
from services.hub.down import send_down
from services.hub.receiving import receive
from services.hub.sites import listed
from services.hub.tables import METADATA, down, eye, model, site
from services.hub.tables import result as result_table
from services.store.database import Database
from services.sync.batch import Answer, Batch, BatchError, Event, decode, encode

KEYS = itertools.count(1)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    found.create_missing(METADATA)
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'hub.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    found = Database(url)
    found.create_missing(METADATA)
    yield found
    found.close()


def new_site(db: Database, name: str = "Siaya") -> int:
    values = {"name": name, "public_key": next(KEYS).to_bytes(32, "big"), "enrolled_at": AT}
    with db.write() as tx:
        return int(tx.execute(site.insert().values(values).returning(site.c.id)).scalar_one())


def send(db: Database, site_id: int, *events: Event, seen: int = 0, report: dict[str, Any] | None = None) -> Answer:
    """As a site's batch arrives, over the real encoding."""
    with db.write() as tx:
        return receive(tx, site_id, decode(encode(Batch(list(events), seen, report))))


def kept(db: Database, site_id: int) -> list[dict[str, Any]]:
    """What the hub knows of a site, with the readings of each result."""
    with db.read() as tx:
        rows = tx.execute(
            sa.select(result_table).where(result_table.c.site_id == site_id).order_by(result_table.c.screening_ref)
        ).mappings()
        found = []
        for row in rows.all():
            eyes = tx.execute(sa.select(eye).where(eye.c.result_id == row["id"]).order_by(eye.c.position)).mappings()
            of_eyes = [{name: each[name] for name in each if name not in ("id", "result_id")} for each in eyes]
            plain = {name: row[name] for name in row if name not in ("id", "received_at", "site_id")}
            found.append(plain | {"eyes": of_eyes})
    return found


def visit(answer: str = "yes") -> dict[str, Any]:
    return {"answer": answer, "reason": None, "by": "patient", "answered_at": AT}


def test_a_result_arrives_whole(db: Database) -> None:
    number = new_site(db)
    answer = send(db, number, Event(5, "result", 9, result("refer"), b"abcdef"))
    (row,) = kept(db, number)
    assert {name: row[name] for name in ("screening_ref", "seq", "outcome", "sex", "birth_year", "worker_ref")} == {
        "screening_ref": 9,
        "seq": 5,
        "outcome": "refer",
        "sex": "female",
        "birth_year": 1961,
        "worker_ref": 3,
    }
    assert (row["opened_at"], row["decided_at"]) == (AT - 300_000, AT)
    assert bytes(row["patient_key"]) == b"abcdef"
    assert [(each["eye"], each["outcome"], each["probability"]) for each in row["eyes"]] == [
        ("left", "rescreen", 0.05),
        ("right", "refer", 0.9),
    ]
    with db.read() as tx:
        assert (
            tx.execute(sa.select(model.c.threshold).where(model.c.id == row["eyes"][0]["model_id"])).scalar() == 0.2471
        )
    assert (answer.highest_seq, answer.down) == (5, [])


def test_a_later_result_takes_the_place_of_an_earlier_one(db: Database) -> None:
    number = new_site(db)
    later = Event(8, "result", 9, result("refer", readings=[reading("left", "refer")]))
    send(db, number, Event(5, "result", 9, result()))
    send(db, number, later)
    send(db, number, Event(5, "result", 9, result()))
    (row,) = kept(db, number)
    assert (row["seq"], row["outcome"], len(row["eyes"])) == (8, "refer", 1)


def test_what_was_withdrawn_stays_away(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    erased: list[tuple[int, list[int]]] = []
    monkeypatch.setattr(results, "ON_WITHDRAWN", {"photographs": f"{__name__}:_erased"})
    monkeypatch.setattr(results, "import_module", lambda _name: FakeModule(erased))
    number = new_site(db)
    first = [Event(5, "result", 9, result("refer"), b"abcdef"), Event(6, "visit", 9, visit())]
    send(db, number, *first)
    send(db, number, Event(7, "withdrawn", 9, {}))
    send(db, number, *first)
    (row,) = kept(db, number)
    left = {name: value for name, value in row.items() if value not in (None, [])}
    assert left == {"screening_ref": 9, "seq": 7, "withdrawn": True, "visit_seq": 0}
    assert [site_id for site_id, ids in erased if len(ids) == 1] == [number]


class FakeModule:
    """Where a handler would be found."""

    def __init__(self, erased: list[tuple[int, list[int]]]) -> None:
        self._erased_ids = erased

    def _erased(self, _tx: object, site_id: int, ids: Sequence[int]) -> None:
        self._erased_ids.append((site_id, list(ids)))


steps = st.lists(st.tuples(st.sampled_from(["result", "visit"]), st.integers(1, 4)), min_size=1, max_size=12)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.data())
def test_any_order_and_any_repetition_ends_alike(sqlite: Database, data: st.DataObject) -> None:
    db = sqlite
    events = [
        Event(seq, kind, ref, result(birth_year=1900 + seq) if kind == "result" else visit(f"answer {seq}"))
        for seq, (kind, ref) in enumerate(data.draw(steps), start=1)
    ]
    for ref in data.draw(st.sets(st.integers(1, 4), max_size=2)):
        events.append(Event(len(events) + 1, "withdrawn", ref, {}))  # a site says nothing more of it
    straight, crooked = new_site(db), new_site(db)
    send(db, straight, *events)
    pieces = data.draw(st.lists(st.lists(st.sampled_from(events), max_size=5, unique_by=id), max_size=5))
    for piece in [*pieces, *([event] for event in data.draw(st.permutations(events)))]:
        send(db, crooked, *piece)
    assert kept(db, crooked) == kept(db, straight)


def test_the_last_first_ends_alike(db: Database) -> None:
    """The same as above once, on both kinds of store."""
    events = [
        Event(1, "result", 1, result()),
        Event(2, "visit", 1, visit("not-yet")),
        Event(3, "result", 1, result("refer")),
        Event(4, "visit", 1, visit("yes")),
        Event(5, "result", 2, result()),
        Event(6, "visit", 3, visit()),
        Event(7, "withdrawn", 2, {}),
    ]
    straight, crooked = new_site(db), new_site(db)
    send(db, straight, *events)
    for event in [*reversed(events), *events[:3]]:
        send(db, crooked, event)
    assert kept(db, crooked) == kept(db, straight)
    assert [(row["outcome"], row["visit"], row["withdrawn"]) for row in kept(db, crooked)] == [
        ("refer", "yes", False),
        (None, None, True),
        (None, "yes", False),
    ]


def test_two_sites_keep_their_own_rows_and_share_a_patient(db: Database) -> None:
    here, there = new_site(db), new_site(db)
    send(db, here, Event(1, "result", 1, result(), b"shared"))
    send(db, there, Event(1, "result", 1, result("refer"), b"shared"))
    with db.read() as tx:
        query = sa.select(result_table.c.site_id, result_table.c.outcome).where(
            result_table.c.patient_key == b"shared", result_table.c.site_id.in_([here, there])
        )
        assert sorted(map(tuple, tx.execute(query))) == [(here, "rescreen"), (there, "refer")]


def test_batches_of_many_sites_at_once_are_exact(db: Database) -> None:
    numbers = [new_site(db) for _ in range(6)]

    def sync(work: tuple[int, int]) -> None:
        number, start = work
        send(db, number, *(Event(seq, "result", seq, result()) for seq in range(start, start + 20)))

    # Overlapping, and each site's in two threads.
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(sync, [(number, start) for start in (1, 11, 21) for number in numbers]))
    assert [len(kept(db, number)) for number in numbers] == [40] * 6
    assert all(len(row["eyes"]) == 2 for number in numbers for row in kept(db, number))


def test_what_waits_comes_until_the_site_has_it(db: Database) -> None:
    here, there = new_site(db), new_site(db)
    with db.write() as tx:
        first = send_down(tx, here, "verdict", {"ref": 1})
        second = send_down(tx, here, "verdict", {"ref": 2})
        send_down(tx, there, "verdict", {"ref": 3})
    assert [item.id for item in send(db, here).down] == [first, second]
    assert [item.content for item in send(db, here, seen=first).down] == [{"ref": 2}]
    assert send(db, here, seen=second).down == []
    with db.read() as tx:
        unseen = tx.execute(
            sa.select(down.c.site_id).where(down.c.acked_at.is_(None), down.c.site_id.in_([here, there]))
        )
        assert unseen.scalars().all() == [there]


def test_a_report_is_kept_with_the_skew_of_the_clock(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "now_ms", lambda: AT)
    number = new_site(db, "Bondo")
    send(db, number, report={"now_ms": AT - 3_600_000, "backlog": 7})
    send(db, number, Event(3, "result", 1, result()))
    with db.read() as tx:
        (found,) = [each for each in listed(tx) if each["id"] == number]
    assert found["report"] == {"now_ms": AT - 3_600_000, "backlog": 7, "skew_ms": -3_600_000}
    assert (found["reported_at"], found["seen_at"], found["results"]) == (AT, AT, 1)


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (Event(1, "result", 0, result()), "a result that says of no screening"),
        (Event(1, "withdrawn", None, {}), "a withdrawn that says of no screening"),
        (Event(1, "visit", 4, {"answer": "yes"}), "not a visit: Object missing required field"),
        (Event(1, "visit", 4, visit() | {"answered_at": "today"}), "not a visit"),
    ],
)
def test_what_no_kind_allows_is_refused_whole(db: Database, event: Event, complaint: str) -> None:
    number = new_site(db)
    with pytest.raises(BatchError, match=complaint):
        send(db, number, Event(2, "result", 8, result()), event)
    assert kept(db, number) == []


def test_a_kind_of_a_later_release_is_passed_over(db: Database) -> None:
    number = new_site(db)
    assert send(db, number, Event(4, "telepathy", 1, {"x": 1}), Event(5, "result", 1, result())).highest_seq == 5
    assert len(kept(db, number)) == 1
