"""The browser's edition of preprocessing, gate and engine, in Chromium, against the server's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page
from webapp import gateway

from services.bench.webapp_browser import chromium, read, start_reading
from services.bench.webapp_parity import compare
from services.bench.webapp_pictures import drawn
from services.commands.webapp import APP, specified
from services.runtime import Runtime

PICTURES = 24


def test_the_app_has_the_servers_numbers() -> None:
    assert json.loads((APP / "src" / "specification.json").read_text()) == json.loads(specified())


def test_browser_and_server_agree(site: Runtime) -> None:
    assert site.settings.carrier == "simulator"
    with gateway() as address, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{address}/app/")
        start_reading(page)
        for tier, found in compare(page, drawn(PICTURES)).items():
            assert found.others == [], tier
            assert found.probability < 0.01, tier
            assert found.score < 0.005, tier
            assert (found.pictures, len(found.outcomes)) == (PICTURES, 3), "every outcome was met"
        _refuses_the_same(page)


def _refuses_the_same(page: Page) -> None:
    from services.screening.sanitise import BadPhotograph, sanitise

    jpeg = next(drawn(1))[1]
    for content in (b"GIF89a" + bytes(20), b"hello", jpeg[:3000], b"%PDF-1.7 ....", b"....ftypheic", bytes(17 << 20)):
        with pytest.raises(BadPhotograph) as refused:
            sanitise(content)
        if refused.value.message_id == "photo-truncated":
            continue
        assert read(page, "light", content)["error"] == refused.value.message_id


def test_the_app_is_built() -> None:
    assert Path(APP / "dist" / "index.html").is_file(), "`make test` builds it"
