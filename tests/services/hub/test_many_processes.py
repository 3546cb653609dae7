"""Several processes of a hub on one PostgreSQL review and look for what is wrong at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hub_results import model_at, result_at, site_at

from services import settings
from services.bench.postgres import postgres
from services.hub import review_queue, runtime, work
from services.hub.monitoring import overview
from services.hub.reviewers import Reviewer, add, begin, listed, who
from services.hub.reviewing import save
from services.hub.runtime import Hub
from services.hub.tables import alert, down, site, verdict, week
from services.screening.opinions import EyeFinding, Opinion
from services.store.clock import HOUR_MS, now_ms

REFER = Opinion({"left": EyeFinding(3), "right": EyeFinding(0)}, "refer")
NORMAL = Opinion({"left": EyeFinding(1), "right": EyeFinding(0)}, "rescreen")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on PostgreSQL with its real migrations."""
    with postgres() as url:
        monkeypatch.setenv("JICHO_HUB_DIR", str(tmp_path / "hub"))
        monkeypatch.setenv("JICHO_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("JICHO_HUB_DATABASE_URL", url)
        monkeypatch.chdir(tmp_path)
        settings.current.cache_clear()
        runtime.current.cache_clear()
        current = runtime.current()
        current.migrate()
        yield current
        current.db.close()
        settings.current.cache_clear()
        runtime.current.cache_clear()


def at_once(function: Callable[[int], Any], times: int) -> list[Any]:
    barrier = threading.Barrier(times)

    def one(number: int) -> Any:
        barrier.wait()
        return function(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_reviewers_and_workers_at_the_same_moment(hub: Hub) -> None:
    here, model = site_at(hub), model_at(hub)
    both = ("left", "right")
    number = result_at(hub, here, model, ("left", "referable"), ("right", "normal"), ref=41, shown=both)
    for ref in range(50, 60):
        result_at(hub, here, model, ("left", "normal"), ("right", "normal"), ref=ref, outcome="rescreen")
    with hub.db.write() as tx:
        password = add(tx, "Atieno", "reviewer")
        for name in ("Baraka", "Chebet", "Dola"):
            add(tx, name, "reviewer")
        people = [Reviewer(row["id"], row["name"], row["role"]) for row in listed(tx)]
        tx.execute(site.update().values(seen_at=now_ms() - 30 * HOUR_MS))
    tokens = at_once(lambda _: begin(hub.db, "Atieno", password), 3)
    with hub.db.read() as tx:
        assert {who(tx, token) for token in tokens} == {people[0]}

    def judge(which: int) -> str:
        with hub.db.write() as tx:
            return save(tx, people[which], number, 41, REFER if which else NORMAL)

    states = at_once(judge, 4)
    assert sorted(states)[-1] in ("reviewed", "settled")
    with hub.db.read() as tx:
        held = tx.execute(sa.select(verdict)).one()
        sent = tx.execute(sa.select(down.c.content).order_by(down.c.id)).scalars().all()
        assert (held.state, held.outcome) == ("settled", "refer"), "three against one, in whatever order"
        assert sent[-1]["outcome"] == "refer", "what the site hears last is what holds"
        assert review_queue.waiting(tx) == []

    at_once(lambda _: work.hourly(), 3)
    with hub.db.read() as tx:
        ((_, found),) = overview(tx)["overall"]
        assert (found.screenings, found.positives, found.agreed_positive.part) == (11, 1, 1)
        assert tx.execute(sa.select(sa.func.count()).select_from(week)).scalar_one() == 1
        assert tx.execute(sa.select(alert.c.kind)).scalars().all() == ["not-seen"]
