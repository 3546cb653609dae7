"""What a review changes at the hub, and what the site is sent."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hub_results import model_at, result_at, site_at

from services.hub import review_queue
from services.hub.results import delete_withdrawn
from services.hub.reviewers import Reviewer, add, listed
from services.hub.reviewing import NotToReview, save, was_told
from services.hub.runtime import Hub
from services.hub.tables import down, photograph, result, review, verdict
from services.screening.opinions import EyeFinding, Opinion
from services.sync.batch import Event

REFER = Opinion({"left": EyeFinding(3), "right": EyeFinding(0)}, "refer")
NORMAL = Opinion({"left": EyeFinding(1), "right": EyeFinding(0)}, "rescreen")
AGAIN = Opinion({"left": EyeFinding(None), "right": EyeFinding(0)}, "retake", "review-note-blurred")
BOTH = (("left", "referable"), ("right", "normal"))


@pytest.fixture
def people(hub: Hub) -> list[Reviewer]:
    with hub.db.write() as tx:
        for name in ("Atieno", "Baraka", "Chebet"):
            add(tx, name, "reviewer")
        return [Reviewer(row["id"], row["name"], row["role"]) for row in listed(tx)]


def sent(hub: Hub) -> list[dict[str, Any]]:
    with hub.db.read() as tx:
        return [row.content for row in tx.execute(sa.select(down).order_by(down.c.id))]


def waiting(hub: Hub) -> list[int]:
    with hub.db.read() as tx:
        found = review_queue.waiting(tx)
        assert review_queue.count(tx) == len(found)
    return [each["id"] for each in found]


def test_the_queue_is_urgent_first_then_oldest(hub: Hub) -> None:
    site, model = site_at(hub), model_at(hub)
    newer = result_at(hub, site, model, *BOTH, ref=1, decided_at=2000)
    older = result_at(hub, site, model, ("left", "doubtful"), ("right", "normal"), ref=2, decided_at=1000)
    urgent = result_at(hub, site, model, ("left", "normal"), ("right", "normal"), ref=3, priority="urgent")
    dark = result_at(hub, site, model, ("left", "ungradable"), ("left", "ungradable"), ref=4, decided_at=3000)
    result_at(hub, site, model, ("left", "normal"), ("right", "normal"), ref=5, outcome="rescreen")
    result_at(hub, site, model, *BOTH, ref=6, withdrawn=True)
    result_at(hub, site, model, ref=7, seq=0)
    with hub.db.write() as tx:
        tx.execute(result.update().where(result.c.screening_ref == 7).values(seq=0))
        found = review_queue.waiting(tx)
    assert [(each["id"], each["why"]) for each in found] == [
        (urgent, "other"), (older, "doubtful"), (newer, "referable"), (dark, "ungradable")
    ]  # fmt: skip


def test_one_reviewer_decides_and_the_site_is_told_once(hub: Hub, people: list[Reviewer]) -> None:
    number = result_at(hub, site_at(hub), model_at(hub), *BOTH, ref=41, shown=("left", "right"), seq=12)
    with hub.db.write() as tx:
        assert save(tx, people[0], number, 12, NORMAL) == "reviewed"
    assert waiting(hub) == []
    with hub.db.write() as tx:
        assert save(tx, people[0], number, 12, NORMAL) == "reviewed", "saved twice by the same"
        assert save(tx, people[1], number, 12, NORMAL) == "agreed"
    (content,) = sent(hub)
    assert content | {"at": 0} == {
        "screening": 41, "review": 1, "seq": 12, "reviewer": people[0].id, "outcome": "rescreen", "note": None, "at": 0,
        "eyes": {"left": {"grade": 1, "oedema": False}, "right": {"grade": 0, "oedema": False}},
    }  # fmt: skip


def test_a_dispute_is_settled_by_a_third(hub: Hub, people: list[Reviewer]) -> None:
    number = result_at(hub, site_at(hub), model_at(hub), *BOTH, ref=41, shown=("left", "right"))
    with hub.db.write() as tx:
        save(tx, people[0], number, 41, NORMAL)
        assert save(tx, people[1], number, 41, REFER) == "disputed"
    assert waiting(hub) == [number]
    with hub.db.write() as tx:
        assert save(tx, people[2], number, 41, NORMAL) == "settled"
    assert waiting(hub) == []
    assert [(each["outcome"], each["reviewer"]) for each in sent(hub)] == [
        ("rescreen", people[0].id), ("refer", people[1].id), ("rescreen", people[2].id)
    ]  # fmt: skip


def test_a_verdict_is_changed_and_its_history_kept(hub: Hub, people: list[Reviewer]) -> None:
    number = result_at(hub, site_at(hub), model_at(hub), *BOTH, ref=41, shown=("left", "right"))
    with hub.db.write() as tx:
        save(tx, people[0], number, 41, REFER)
        save(tx, people[0], number, 41, AGAIN)
        rows = review_queue.history(tx, number)
        state = tx.execute(sa.select(verdict.c.state, verdict.c.outcome)).one()
    assert [(row["outcome_before"], row["outcome"]) for row in rows] == [("refer", "refer"), ("refer", "retake")]
    assert tuple(state) == ("reviewed", "retake")
    assert [each["note"] for each in sent(hub)] == [None, "review-note-blurred"]


def test_a_newer_result_is_looked_at_again(hub: Hub, people: list[Reviewer]) -> None:
    number = result_at(hub, site_at(hub), model_at(hub), *BOTH, ref=41, shown=("left", "right"), seq=5)
    with hub.db.write() as tx:
        save(tx, people[0], number, 5, NORMAL)
        tx.execute(result.update().values(seq=9))
    assert waiting(hub) == [number]
    with hub.db.write() as tx, pytest.raises(NotToReview, match="review-newer"):
        save(tx, people[0], number, 5, NORMAL)
    with hub.db.write() as tx:
        assert save(tx, people[1], number, 9, REFER) == "reviewed", "the earlier opinion was about something else"


def test_the_site_says_what_became_of_it(hub: Hub, people: list[Reviewer]) -> None:
    site = site_at(hub)
    number = result_at(hub, site, model_at(hub), *BOTH, ref=41, shown=("left", "right"))
    event = Event(77, "verdict-told", 41, {"review": 1, "patient": "called"})
    with hub.db.write() as tx:
        save(tx, people[0], number, 41, NORMAL)
        was_told(tx, site + 1, [event])
        assert tx.execute(sa.select(review.c.told)).scalar_one() is None, "another site's word counts nothing"
        was_told(tx, site, [event, event])
        assert tx.execute(sa.select(review.c.told)).scalar_one() == "called"


def test_nothing_stays_of_who_took_her_consent_back(hub: Hub, people: list[Reviewer]) -> None:
    number = result_at(hub, site_at(hub), model_at(hub), *BOTH, ref=41, shown=("left", "right"))
    with hub.db.write() as tx:
        save(tx, people[0], number, 41, NORMAL)
        delete_withdrawn(tx, 1, [Event(90, "withdrawn", 41, {})])
        with pytest.raises(NotToReview, match="review-gone"):
            save(tx, people[0], number, 41, NORMAL)
        for table in (review, verdict, photograph):
            assert tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
