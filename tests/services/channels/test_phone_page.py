"""The /phone page in headless Chromium, on the real stack: dial, send, read, answer, hear."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from flows.catalogue import text
from services.bench.stack import Stack

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        running.command("worker", "add", "+254711000001", "Achieng", "--language", "en")
        yield running


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    assert CHROMIUM, "`make test` installs Debian's chromium"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page(viewport={"width": 1000, "height": 1100})
        opened.set_default_timeout(30_000)
        opened.goto(f"{stack.gateway_url}/phone")
        yield opened
        browser.close()


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.click("#key-" + {"*": "star", "#": "hash"}.get(key, key))


def reply(page: Page, keys: str, expected: str) -> str:
    press(page, keys)
    page.click("#send-key")
    expect(page.locator("#ussd-screen")).to_contain_text(expected)
    return page.inner_text("#ussd-screen")


def test_the_whole_tour(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    expect(page.locator("#ussd-screen")).to_contain_text("*384*77#")
    page.click("#call-button")
    expect(page.locator("#ussd-screen")).to_contain_text("1. Open a screening")
    reply(page, "1", "The patient is")
    reply(page, "1", "Year of birth")
    reply(page, "19", "from 1900")
    reply(page, "1961", "phone number")
    reply(page, "0722000002", "language")
    reply(page, "1", "98 More")
    reply(page, "98", "1. Yes")
    reply(page, "1", "lose sight")
    code = re.search(r"\d{6}", reply(page, "2", "Code: "))
    assert code is not None

    with page.expect_response(lambda response: "/phone/samples/signs" in response.url):
        page.click("#sample-signs")
    expect(page.locator("#sample-chosen")).to_contain_text("signs-")
    page.fill("#photo-caption", f"{code[0]} left")
    page.click("#send-photo")
    expect(page.locator("#sms-list")).to_contain_text("REFER", timeout=60_000)
    expect(page.locator("#whatsapp-log")).to_contain_text("REFER")
    expect(page.locator("#whatsapp-log img")).to_have_count(1)

    page.click("#tab-patient")
    expect(page.locator("#sms-list")).to_contain_text(text("sw", "patient-ready", clinic="Jicho", ussd="*384*77#"))
    expect(page.locator("#incoming-call")).to_be_visible(timeout=120_000)
    with page.expect_response(lambda response: "/phone/api/audio" in response.url) as audio:
        page.click("#answer")
    assert audio.value.body()[:4] == b"RIFF"
    expect(page.locator("#call-state")).to_have_text("In the call")
    with page.expect_response(lambda response: response.url.endswith("/digits")) as pressed:
        press(page, code[0])
    assert pressed.value.json()["call"]["digits"] == 1, "after the verdict: again, or the end"
    page.click("#hang-up")
    expect(page.locator("#incoming-call")).to_be_hidden()
    assert errors == []


def test_a_photograph_without_one_says_what_to_do(page: Page) -> None:
    page.reload()
    page.click("#send-photo")
    expect(page.locator("#problem")).to_have_text("Choose a photograph or a drawn eye first.")


def test_it_fits_a_small_screen(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_gateway_that_is_down_is_said(page: Page, stack: Stack) -> None:
    gateway = stack.child("gateway")
    gateway.suspend()
    try:
        page.reload()
        page.click("#call-button")
        expect(page.locator("#problem")).to_contain_text("does not answer", timeout=20_000)
    finally:
        gateway.resume()
