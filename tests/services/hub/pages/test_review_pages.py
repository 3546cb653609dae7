"""The reviewer's pages over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hub_results import HTTPS, model_at, result_at, sign_in, site_at, token_in

from services.hub.application import create_hub
from services.hub.runtime import Hub
from services.hub.tables import down, review

GOOD = {"seq": "8", "left-grade": "3", "right-grade": "0", "outcome": "agree", "note": "review-note-soon"}


@pytest.fixture
def client(hub: Hub) -> Iterator[FlaskClient]:
    found = (("left", "referable"), ("right", "doubtful"))
    result_at(hub, site_at(hub), model_at(hub), *found, ref=41, seq=8, priority="urgent", shown=("left", "right"))
    result_at(hub, site_at(hub, "Bondo"), model_at(hub, version="0.1.0"), ("left", "ungradable"), ref=5)
    with create_hub().test_client() as browser:
        sign_in(hub, browser)
        yield browser


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, base_url=HTTPS)
    assert answer.status_code == 200
    return answer.text


def judge(client: FlaskClient, **changes: str | None) -> Any:
    form: dict[str, Any] = GOOD | {"token": token_in(page(client, "/review/1"))} | changes
    return client.post("/review/1", data={k: v for k, v in form.items() if v is not None}, base_url=HTTPS)


def test_the_queue_and_a_case_show_what_is_known(client: FlaskClient) -> None:
    queue = page(client, "/review")
    assert queue.index("Case 1") < queue.index("Case 2")
    assert "2 screenings wait for a reviewer." in queue
    assert "Could not be graded" in queue
    case = page(client, "/review/1")
    for shown in ("Siaya, screening 41", "female", "91.0 %", "refers from 24.7 %", "dr 0.2.0 full", "not certain"):
        assert shown in case
    assert "The patient suddenly lost sight" in case
    assert case.count("<figure>") == 2
    dark = page(client, "/review/2")
    assert dark.count("No photograph has come from the site yet.") == 1
    assert 'name="outcome"' not in dark, "there is nothing to judge"
    assert client.get("/review/99", base_url=HTTPS).status_code == 404


def test_a_verdict_is_saved_and_the_next_case_shown(hub: Hub, client: FlaskClient) -> None:
    answer = judge(client, **{"left-oedema": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/review/2")
    with hub.db.read() as tx:
        content = tx.execute(sa.select(down.c.content)).scalar_one()
    assert (content["outcome"], content["note"]) == ("refer", "review-note-soon")
    assert content["eyes"]["left"] == {"grade": 3, "oedema": True}
    again = page(client, "/review/1")
    assert "Change the verdict" in again
    assert "reviewer 1, <strong>refer</strong>, Left eye: 3 severe + oedema" in again


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"outcome": "rescreen"}, 422, "Grade 2 or more, or oedema, refers the patient."),
        ({"outcome": "rescreen", "left-grade": "0"}, 422, "is referred whatever the photographs show"),
        ({"left-grade": "ungradable", "outcome": "retake"}, 422, "is referred whatever the photographs show"),
        ({"left-grade": "²"}, 422, "A grade is 0 to 4"),
        ({"left-grade": "7"}, 422, "A grade is 0 to 4"),
        ({"right-grade": None}, 422, "Grade each eye whose photograph is here."),
        ({"outcome": "diagnose"}, 422, "Choose a verdict."),
        ({"note": "You have diabetes"}, 422, "none that can be sent"),
        ({"seq": "7"}, 409, "A newer result of this patient has come."),
        ({"seq": "none"}, 409, "A newer result of this patient has come."),
    ],
)
def test_what_cannot_be_is_refused(
    hub: Hub, client: FlaskClient, changes: dict[str, str | None], status: int, said: str
) -> None:
    answer = judge(client, **changes)
    assert answer.status_code == status
    assert said in answer.text
    with hub.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(review)).scalar_one() == 0


def test_a_second_reader_judges_for_herself(hub: Hub, client: FlaskClient) -> None:
    judge(client)
    sign_in(hub, client, "Dr Baraka")
    blind = page(client, "/review/1")
    assert "reviewer 1" not in blind
    assert "shown once you have said what you think" in blind
    judge(client, outcome="refer", **{"left-grade": "2"})
    assert "reviewer 1" in page(client, "/review/1")
