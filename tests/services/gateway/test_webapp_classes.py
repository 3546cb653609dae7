"""A second programme in the browser, of classes: it comes when it is asked for, says what the server would, and is kept
nowhere. No line of the app names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from webapp import gateway
from webapp_phone import install, kept, small_phone

from services.bench.webapp_browser import read, start_reading
from services.commands.webapp import APP
from services.inference.classes import Classifier
from services.programmes import MODELS, installed
from services.runtime import Runtime

PROGRAMME = "maize"


@pytest.fixture
def programmes() -> str:
    return f"dr,{PROGRAMME}"


def test_a_question_is_answered_with_the_servers_words(site: Runtime, tmp_path: Path) -> None:
    assert PROGRAMME in site.settings.programmes
    with gateway() as address, small_phone(tmp_path / "phone") as phone:
        page = install(phone, address)
        _comes_when_it_is_asked_for(page)
        phone.set_offline(True)
        page.click(f"#programme-{PROGRAMME}")
        golden = MODELS / PROGRAMME / "golden"
        for picture, said in (("healthy.jpg", "Healthy"), ("clutter.jpg", "")):
            page.set_input_files("#photo", golden / picture)
            expect(page.locator("#answer .verdict")).to_have_count(len(installed()[PROGRAMME].says[said]))
            assert page.locator("#answer .verdict").all_text_contents() == _words(page, said)
        page.set_input_files("#photo", {"name": "no.jpg", "mimeType": "image/jpeg", "buffer": b"GIF89a" + bytes(20)})
        expect(page.locator("#answer .problem")).to_be_visible()
        assert kept(page, "screenings", "photographs") == []
        start_reading(page)
        _reads_as_the_server_does(page, golden)


def _comes_when_it_is_asked_for(page: Page) -> None:
    assert not page.evaluate(f"caches.match('/app/models/{PROGRAMME}/manifest.json').then(Boolean)")
    page.click(f"#programme-{PROGRAMME}")
    expect(page.locator("#size")).to_contain_text("MB")
    page.click("#download")
    page.fill("#pin", "240613")  # the page began anew
    page.keyboard.press("Enter")
    expect(page.locator(f"#programme-{PROGRAMME}")).not_to_contain_text("Download")


def _words(page: Page, said: str) -> list[str]:
    catalogue = page.evaluate("fetch('/app/words/en.json').then((found) => found.json())")
    return [catalogue[message] for message in installed()[PROGRAMME].says[said]]


def _reads_as_the_server_does(page: Page, golden: Path) -> None:
    for tier in ("full", "medium", "light"):
        engine = Classifier(MODELS, PROGRAMME, tier)
        for picture in sorted(golden.glob("*.jpg")):
            with Image.open(picture) as image:
                ours = engine.read(image.convert("RGB"))
            theirs = read(page, tier, picture.read_bytes(), PROGRAMME)["reading"]
            assert theirs["found"] == ours.found, (tier, picture.name)
            for name, probability in ours.probabilities.items():
                assert abs(theirs["probabilities"][name] - probability) < 0.01, (tier, picture.name)


def test_no_line_of_the_app_names_it() -> None:
    for path in (APP / "src").rglob("*.*"):
        assert PROGRAMME not in path.read_text().lower(), path.name
