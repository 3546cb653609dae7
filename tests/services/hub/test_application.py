"""The hub's routes are documented, and its errors are plain."""

from __future__ import annotations

from pathlib import Path

from services.hub.application import create_hub
from services.hub.runtime import Hub

ROUTES = Path(__file__).parents[3] / "docs" / "routes.md"


def test_every_route_of_the_hub_is_documented(hub: Hub) -> None:
    assert hub.db.is_sqlite
    text = ROUTES.read_text().partition("# Routes of the hub")[2]
    rules = [rule.rule for rule in create_hub().url_map.iter_rules() if rule.endpoint != "static"]
    assert [rule for rule in rules if f"`{rule}`" not in text] == []


def test_a_fault_of_the_hub_asks_the_site_to_come_again(hub: Hub) -> None:
    application = create_hub()
    application.testing = False

    def broken() -> str:
        raise RuntimeError("the store is away")

    application.add_url_rule("/broken", view_func=broken)
    answer = application.test_client().get("/broken")
    assert (answer.status_code, answer.json) == (500, {"error": "internal error, try again"})
    assert application.test_client().get("/healthz").json == {"status": "ok"}
    assert hub.db.is_sqlite
