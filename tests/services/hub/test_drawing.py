"""Some of those who were called normal are looked at too, once their photographs have come."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hub_results import model_at, result_at, site_at

from services.hub import review_queue
from services.hub.drawing import draw
from services.hub.runtime import Hub
from services.hub.tables import down, photograph
from services.store.clock import DAY_MS, now_ms

NORMAL = (("left", "normal"), ("right", "normal"))


def asked(hub: Hub) -> list[Any]:
    with hub.db.read() as tx:
        return list(tx.execute(sa.select(down.c.site_id, down.c.kind, down.c.content).order_by(down.c.id)))


def test_a_share_is_drawn_and_asked_for_once(hub: Hub) -> None:
    site, model = site_at(hub), model_at(hub)
    for ref in range(1, 101):
        result_at(hub, site, model, *NORMAL, ref=ref, outcome="rescreen")
    with hub.db.write() as tx:
        some = draw(tx, 0.1)
        assert 7 <= some <= 13, "one in ten, whichever numbers the site has reached"
        assert draw(tx, 0.1) == 0
        assert draw(tx, 0.0) == 0
        assert draw(tx, 1.0) == 100 - some
    assert len(asked(hub)) == 100
    assert {kind for _, kind, _ in asked(hub)} == {"photographs-wanted"}
    assert sorted(content["screening"] for _, _, content in asked(hub)) == list(range(1, 101))


def test_only_new_negatives_are_drawn(hub: Hub) -> None:
    site, model = site_at(hub), model_at(hub)
    result_at(hub, site, model, ("left", "referable"), ref=1)
    result_at(hub, site, model, *NORMAL, ref=2, outcome="rescreen", withdrawn=True)
    result_at(hub, site, model, *NORMAL, ref=3, outcome="rescreen", received_at=now_ms() - 8 * DAY_MS)
    with hub.db.write() as tx:
        assert draw(tx, 1.0) == 0


def test_one_that_was_drawn_waits_once_there_is_something_to_see(hub: Hub) -> None:
    site = site_at(hub)
    number = result_at(hub, site, model_at(hub), *NORMAL, ref=7, outcome="rescreen")
    with hub.db.write() as tx:
        draw(tx, 1.0)
        assert review_queue.waiting(tx) == []
        row = {"site_id": site, "photo_ref": 1, "screening_ref": 7, "eye": "left", "sha256": "", "bytes": 1}
        tx.execute(photograph.insert().values(row | {"media_key": "7/1", "received_at": now_ms()}))
        (found,) = review_queue.waiting(tx)
    assert (found["id"], found["why"]) == (number, "drawn")
