"""The recording page in headless Chromium, with its fake microphone, which beeps once a second."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator

import pytest
from console import account
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from app import create_app
from services.calls.coverage import coverage
from services.runtime import Runtime

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture
def page(migrated: Runtime) -> Iterator[Page]:
    assert CHROMIUM, "`make test` installs Debian's chromium"
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        address = f"http://127.0.0.1:{server.server_port}"
        context = browser.new_context(locale="en-GB")
        context.add_cookies([{"name": "jicho", "value": account(migrated, "achieng", "operator"), "url": address}])
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        opened.goto(f"{address}/console/recording")
        yield opened
        browser.close()
    server.shutdown()
    server.server_close()


def test_a_speaker_reads_and_is_kept(page: Page, site: Runtime) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.select_option("#language", "luo")
    page.fill("#speaker", "Achieng")
    page.fill("#pack", "achieng")
    page.check("#agreed")
    page.click("#start")
    expect(page.locator("#studio")).to_be_visible(timeout=60_000)
    text = page.inner_text("#text")
    total = int(page.inner_text("#done").split()[2])
    assert text

    page.click("#record")
    expect(page.locator("#stop")).to_be_enabled()
    page.wait_for_timeout(3_500)
    page.click("#stop")
    expect(page.locator("#playback")).to_be_visible()
    page.click("#keep")
    expect(page.locator("#done")).to_have_text(f"1 of {total} recorded.", timeout=60_000)
    assert page.inner_text("#text") != text
    expect(page.locator("#problem")).to_be_hidden()
    assert errors == []

    (kept,) = coverage(site.settings, "luo").recorded
    assert kept.text == text
    (entry,) = json.loads((site.settings.voices_dir / "luo" / "achieng" / "manifest.json").read_text())["recordings"]
    assert (entry["speaker"], entry["text"]) == ("Achieng", text)
    assert entry["consent"].startswith("agreed on the recording page, 20")

    # What the server does not take is said, and the same text stays to be read.
    text = page.inner_text("#text")
    page.fill("#speaker", " ")
    page.click("#record")
    page.click("#stop")
    page.click("#keep")
    expect(page.locator("#problem")).to_have_text("say who speaks", timeout=60_000)
    assert page.inner_text("#text") == text
