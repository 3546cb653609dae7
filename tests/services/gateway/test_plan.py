"""The planner's page: who may, what it recommends, and a real probe of this machine, one at a time."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from console import HERE, sign_in, token_in
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from services.gateway import plan
from services.runtime import Runtime
from services.site.plan.answers import QUESTIONS
from services.site.plan.probe import Measured


@pytest.fixture
def client(site: Runtime) -> Iterator[FlaskClient]:
    with create_app().test_client() as found:
        sign_in(found, site, "achieng", "operator")
        yield found


def ask(client: FlaskClient, **answers: str) -> TestResponse:
    return client.get("/console/plan", query_string=answers, base_url=HERE)


def probe_form(client: FlaskClient) -> dict[str, str]:
    return {"token": token_in(ask(client).get_data(as_text=True))}


def test_only_the_operator_plans_and_probes(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "192.168.1.20"}
    assert client.get("/console/plan", base_url=HERE, environ_base=elsewhere).status_code == 403
    assert client.post("/console/plan/probe", base_url=HERE, environ_base=elsewhere).status_code == 403
    other = {"Origin": "https://evil.example"}
    assert client.post("/console/plan/probe", base_url=HERE, headers=other).status_code == 403


def test_the_form_asks_everything_and_needs_no_script(client: FlaskClient) -> None:
    page = ask(client).get_data(as_text=True)
    assert "<script" not in page
    assert "Recommended" not in page
    names = re.findall(r'<(?:select|input) name="([^"]+)"', page)
    assert names == [question.option for question in QUESTIONS]
    assert len(re.findall(r"<label", page)) == len(names), "each has its label"


def test_answers_get_a_plan(client: FlaskClient) -> None:
    page = ask(client, internet="none", phones="mixed", **{"battery-hours": "6", "outage-hours": "9"})
    said = html.unescape(page.get_data(as_text=True))
    assert page.status_code == 200
    assert "Recommended: a server on site, alone, and the web app over its Wi-Fi" in said
    assert "JICHO_UPS=ups@localhost" in said
    assert '<option value="none" selected>none at all' in said, "what was answered stays in the form"


def test_bad_answers_are_named_and_kept_to_be_mended(client: FlaskClient) -> None:
    page = ask(client, **{"memory-gb": "<b>lots", "internet": "reliable"})
    said = page.get_data(as_text=True)
    assert page.status_code == 400
    assert "memory-gb: &lt;b&gt;lots is no number of GB: write 4 for 4 GB" in said
    assert "<b>lots" not in said
    assert "Recommended" not in said


def test_a_probe_shows_each_step_as_it_is_done_and_the_plan_uses_it(client: FlaskClient, site: Runtime) -> None:
    answer = client.post(
        "/console/plan/probe", data=probe_form(client), base_url=HERE, headers={"Origin": HERE}, buffered=False
    )
    parts = (part.decode() for part in answer.response)
    first = ""
    while "</li>" not in first:
        first += next(parts)
    assert "<b>machine</b>" in first
    assert "model full" not in first, "it came before the models were measured"
    meanwhile = client.post("/console/plan/probe", data=probe_form(client), base_url=HERE)
    assert meanwhile.status_code == 429
    assert "A probe is running already" in meanwhile.get_data(as_text=True)
    rest = "".join(parts)
    answer.close()
    for tier in ("full", "medium", "light"):
        assert re.search(rf"<b>model {tier}</b>: [0-9]+ ms a photograph in the median, [0-9]+ MB", rest), rest
    assert "nobody to reach" in rest
    assert "Plan with what was measured" in rest

    again = client.post("/console/plan/probe", data=probe_form(client), base_url=HERE)
    assert again.status_code == 429
    assert "Try again in" in again.get_data(as_text=True)

    kept = plan.kept_probe(site.settings.data_dir)
    assert kept is not None
    assert set(kept.tiers) == {"full", "medium", "light"}
    form = ask(client).get_data(as_text=True)
    assert f'name="memory-gb" inputmode="decimal" required value="{(kept.memory_mb or 0) / 1000:.2f}"' in form
    took = f"A photograph is read in {kept.tiers['full'].milliseconds:.0f} ms"
    assert took in ask(client, internet="reliable", here="1", **{"memory-gb": "4"}).get_data(as_text=True)
    assert took not in ask(client, internet="reliable", **{"memory-gb": "4"}).get_data(as_text=True)


def test_whoever_leaves_stops_the_probe(
    client: FlaskClient, site: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    others = set(psutil.Process().children(recursive=True))
    answer = client.post("/console/plan/probe", data=probe_form(client), base_url=HERE, buffered=False)
    next(part for part in answer.response if b"disk flush" in part)
    started = [child for child in psutil.Process().children(recursive=True) if child not in others]
    assert started
    assert list((tmp_path / "scratch").glob("*/*")), "photographs to read"
    answer.close()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert psutil.wait_procs(started, timeout=10)[1] == [], "nothing of it goes on, not the model either"
    turn = plan._pause_left((site.settings.data_dir / "site" / "probe.lock").read_text())
    assert 0 < turn <= plan.PAUSE_S
    assert plan.kept_probe(site.settings.data_dir) is None


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"tiers": 1, "providers": []}', json.dumps({"tiers": {"a": {}}})])
def test_what_cannot_be_read_of_an_old_probe_is_as_none(client: FlaskClient, site: Runtime, kept: str) -> None:
    (site.settings.data_dir / "site").mkdir(exist_ok=True)
    (site.settings.data_dir / "site" / "probe.json").write_text(kept)
    assert plan.kept_probe(site.settings.data_dir) is None
    assert ask(client).status_code == 200


def test_a_probe_is_kept_as_it_was() -> None:
    found = Measured(system="Linux aarch64", links={"hub": None}, providers=("CPUExecutionProvider",))
    assert Measured.from_json(json.loads(json.dumps(found.as_json()))) == found
