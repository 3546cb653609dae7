"""The console in headless Chromium, on a phone's screen: sign in, queue, a screening, a verdict, sign out."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator

import pytest
from console import PASSWORD, account, screened
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from app import create_app
from services.runtime import Runtime

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]

PAGES = ("outbox", "site", "facilities", "workers", "messages", "recording", "settings", "accounts", "log", "me")


@pytest.fixture
def page(site: Runtime) -> Iterator[Page]:
    assert CHROMIUM, "`make test` installs Debian's chromium"
    screened(site)
    account(site, "atieno", "reviewer", "nurse", "operator", "administrator")
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{server.server_port}", locale="en-GB", viewport={"width": 360, "height": 740}
        )
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        yield opened
        browser.close()
    server.shutdown()
    server.server_close()


def fits(page: Page) -> bool:
    """Whether nothing makes the page wider than the phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_reviewer_signs_in_judges_and_signs_out(page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto("/console/queue")
    expect(page).to_have_url(re.compile("/console/login"))
    page.fill("[name=name]", "Atieno")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Screenings", exact=True)).to_be_visible()
    assert fits(page)

    page.get_by_role("link", name="To look at (1)").click()
    page.get_by_role("link", name="Screening 1").click()
    expect(page.get_by_role("img", name="Photograph: Left eye")).to_be_visible()
    expect(page.get_by_role("img", name="Where the model saw signs: Left eye")).to_be_visible()
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert fits(page)
    page.get_by_role("button", name="Show the number").click()
    expect(page.get_by_role("link", name="+254722000002")).to_be_visible()

    page.check("input[name=left-grade][value='1']")
    page.check("input[name=right-grade][value='0']")
    page.check("input[name=outcome][value=rescreen]")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The patient is told by a call.")).to_be_visible()

    for path in PAGES:
        page.goto(f"/console/{path}")
        assert fits(page), path
    page.get_by_role("button", name="Kiswahili").click()
    expect(page.get_by_role("heading", name="Akaunti ya atieno")).to_be_visible()
    expect(page.get_by_text("Tafsiri hii ni rasimu")).to_be_visible()
    page.get_by_role("button", name="Ondoka", exact=True).click()
    expect(page.get_by_role("heading", name="Ingia")).to_be_visible()
    page.goto("/console/queue")
    expect(page).to_have_url(re.compile("/console/login"))
    assert problems == [], "the content policy lets through what pages need"
