"""The console's list of messages shows what is a draft."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from console import HERE, sign_in
from flask.testing import FlaskClient

from app import create_app
from flows.catalogue import messages
from services.runtime import Runtime


@pytest.fixture
def browser(site: Runtime) -> Iterator[FlaskClient]:
    with create_app().test_client() as client:
        sign_in(client, site, "achieng", "reviewer")
        yield client


def read(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address, base_url=HERE)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("language", ["sw", "luo"])
def test_every_message_is_listed_with_its_state(browser: FlaskClient, language: str) -> None:
    page = read(browser, f"/console/messages?language={language}")
    assert set(re.findall(r"<td><code>([^<]+)</code>", page)) == set(messages(language))
    row = page.split("<code>goodbye</code>")[1].split("</tr>")[0]
    assert messages(language)["goodbye"] in row
    assert '<span class="mark draft">draft</span>' in row


def test_one_state_alone(browser: FlaskClient) -> None:
    page = read(browser, "/console/messages?language=sw&state=same")
    assert "<code>language-sw</code>" in page
    assert "<code>goodbye</code>" not in page


@pytest.mark.parametrize("query", ["language=en", "language=fr", "state=perfect"])
def test_what_does_not_exist_is_not_found(browser: FlaskClient, query: str) -> None:
    assert browser.get(f"/console/messages?{query}", base_url=HERE).status_code == 404
