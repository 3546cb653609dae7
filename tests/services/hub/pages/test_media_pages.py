"""Reviewers see the photographs of a case and their heat maps; nobody else sees either."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from hub_results import HTTPS, model_at, result_at, sign_in
from uploading import Sender, about, enrolled, photograph

from services.hub.application import create_hub
from services.hub.audit import LOG
from services.hub.runtime import Hub


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    sender = Sender(hub, enrolled(hub))
    result_at(hub, sender.identity.site, model_at(hub), ("left", "referable"), ("left", "doubtful"), ref=41)
    for number, heat in ((7, about(photograph()).heat), (8, None)):
        described = about(photograph(), photo_ref=number, screening_ref=41, heat=heat)
        assert sender.create(photograph(), described, body=photograph()).status_code == 201
    return create_hub().test_client()


def test_a_case_shows_what_came(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    page = client.get("/review/1", base_url=HTTPS).text
    assert page.count("<figure>") == 2
    assert "91.0 % as it was taken, 88.0 % as it came here" in page
    assert "/photographs/1/heatmap" in page
    assert "/photographs/2/heatmap" not in page
    shown = client.get("/photographs/1", base_url=HTTPS)
    assert (shown.data, shown.mimetype) == (photograph(), "image/jpeg")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/photographs/1/heatmap", base_url=HTTPS).data[:2] == b"\xff\xd8"
    assert client.get("/photographs/2/heatmap", base_url=HTTPS).status_code == 404
    assert client.get("/photographs/3", base_url=HTTPS).status_code == 404
    with hub.db.read() as tx:
        viewed = [(row["action"], row["subject"]) for row in LOG.newest(tx, 2)]
    assert viewed == [("photograph-viewed", "photograph:1"), ("heatmap-viewed", "photograph:1")], "and nothing else"


def test_a_photograph_is_had_in_parts_and_not_twice(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    part = client.get("/photographs/1", base_url=HTTPS, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, photograph()[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(photograph())}"
    again = client.get("/photographs/1", base_url=HTTPS, headers={"If-None-Match": part.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/photographs/1", "/photographs/1/heatmap"])
def test_nobody_else_sees_them(hub: Hub, client: FlaskClient, path: str) -> None:
    assert client.get(path, base_url=HTTPS).status_code == 302
    sign_in(hub, client, role="operator")
    assert client.get(path, base_url=HTTPS).status_code == 403


def test_a_file_that_is_gone_is_not_found(hub: Hub, client: FlaskClient) -> None:
    sign_in(hub, client)
    for file in (hub.settings.hub_dir / "photographs").rglob("*.jpg"):
        file.unlink()
    assert client.get("/photographs/1", base_url=HTTPS).status_code == 404
