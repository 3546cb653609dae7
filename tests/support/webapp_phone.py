"""A health worker's phone with the web app: Chromium with a small screen, and what she does on it, step by step."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from open_rows import texts
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from flows.render_voice import Utterance
from services.bench.webapp_browser import ARGUMENTS
from services.calls.clips import key_of, path_of
from services.gateway.webapp_files import SPOKEN
from services.runtime import Runtime
from services.screening.people import add_worker
from services.store.tables import message

PIN, WORKER = "240613", "+254711000001"
SLOW_MS = 150_000
expect.set_options(timeout=SLOW_MS)


def render_sounds(site: Runtime) -> None:
    """What calls have had rendered, of silence."""
    site.clips_dir.mkdir(parents=True)
    for verdict in SPOKEN:
        said = {} if verdict == "result-rescreen" else {"place": "place-eye-clinic"}
        for language in ("sw", "luo", "en"):
            key = key_of(site.settings, language, Utterance(verdict, said))
            path_of(site.settings, site.clips_dir, key).write_bytes(bytes(8_000))


@contextmanager
def small_phone(folder: Path, width: int = 360, height: int = 640) -> Iterator[BrowserContext]:
    """A small phone that keeps what it has when the app is closed."""
    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            folder,
            executable_path=shutil.which("chromium"),
            args=list(ARGUMENTS),
            viewport={"width": width, "height": height},
        )
        context.set_default_timeout(SLOW_MS)
        yield context
        context.close()


def start(phone: BrowserContext, address: str) -> Page:
    page = phone.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{address}/app/")
    return page


def unlock(page: Page, pin: str = PIN) -> None:
    page.fill("#pin", pin)
    page.keyboard.press("Enter")


def install(phone: BrowserContext, address: str) -> Page:
    page = start(phone, address)
    page.click("button[lang=en]")
    expect(page.locator("#size")).to_contain_text(re.compile(r"\d+\.\d MB"))
    page.click("#download")
    expect(page.locator("#notice")).to_contain_text("works without a network")
    unlock(page)
    expect(page.locator("#new")).to_be_visible()
    return page


def open_screening(page: Page) -> None:
    page.click("#new")
    page.check("input[name=sex][value=female]")
    page.fill("#born", "1961")
    page.fill("#phone", "0722000002")
    page.check("input[name=consent][value=yes]")
    page.check("input[name=urgent][value=no]")
    page.click("#details button")
    expect(page.locator("[data-eye=left]")).to_be_visible()


def photograph(page: Page, eye: str, content: bytes) -> None:
    page.set_input_files(f"#photo-{eye}", {"name": "eye.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.locator(f"[data-eye={eye}] .verdict")).to_be_visible()


def enrol(page: Page, site: Runtime) -> None:
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
    page.click("#enrol")
    page.fill("#my-phone", "0711000001")
    page.click("#enrol-form button")
    expect(page.locator("#my-code")).to_be_visible()
    with site.db.read() as tx:
        (words,) = texts(tx, message.c.purpose == "app-code")
    page.fill("#my-code", re.findall(r"\d{6}", words)[0])
    page.click("#enrol-form button")
    expect(page.locator("#new")).to_be_visible()
    expect(page.locator("#enrol")).to_have_count(0)


def kept(page: Page, *stores: str) -> list[str]:
    """Every record of some stores as it lies on the phone's disk, as Latin-1."""
    found: list[str] = page.evaluate(_KEPT, list(stores))
    return found


_KEPT = """async (stores) => {
  const database = await new Promise((resolve) => {
    const asked = indexedDB.open("jicho");
    asked.onsuccess = () => resolve(asked.result);
  });
  const found = [];
  for (const store of stores) {
    const all = await new Promise((resolve) => {
      const asked = database.transaction(store).objectStore(store).getAll();
      asked.onsuccess = () => resolve(asked.result);
    });
    for (const row of all) found.push(new TextDecoder("latin1").decode(row.sealed ?? row.wrapped));
  }
  database.close();
  return found;
}"""


def release_of(page: Page) -> str:
    found: str = page.evaluate(
        "caches.open('jicho').then((it) => it.match('/app/release/in-use')).then((it) => it.headers.get('X-Release'))"
    )
    return found
