"""A health worker's day with the web app in Chromium: installed, offline, photographs, results, closed and
opened again, and an update that comes while a screening is open."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from webapp import gateway

from flows.render_voice import Utterance
from services.bench.webapp_browser import ARGUMENTS
from services.bench.webapp_pictures import encoded_eye
from services.calls.clips import key_of, path_of
from services.gateway import webapp_files
from services.gateway.webapp_files import SPOKEN
from services.runtime import Runtime
from services.screening.people import add_worker
from services.screening.reading import read_photo
from services.store.tables import app_reading, message, photo, reading, screening

PIN, WORKER = "240613", "+254711000001"
SLOW_MS = 60_000
expect.set_options(timeout=SLOW_MS)


@pytest.fixture
def address(site: Runtime) -> Iterator[str]:
    site.clips_dir.mkdir(parents=True)
    for verdict in SPOKEN:
        said = {} if verdict == "result-rescreen" else {"place": "place-eye-clinic"}
        for language in ("sw", "luo", "en"):
            key = key_of(site.settings, language, Utterance(verdict, said))
            path_of(site.settings, site.clips_dir, key).write_bytes(bytes(8_000))
    with gateway() as address:
        yield address


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[BrowserContext]:
    """A small phone that keeps what it has when the app is closed."""
    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            tmp_path / "phone",
            executable_path=shutil.which("chromium"),
            args=list(ARGUMENTS),
            viewport={"width": 360, "height": 640},
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
        words = tx.execute(sa.select(message.c.text).where(message.c.purpose == "app-code")).scalar_one()
    page.fill("#my-code", re.findall(r"\d{6}", words)[0])
    page.click("#enrol-form button")
    expect(page.locator("#new")).to_be_visible()
    expect(page.locator("#enrol")).to_have_count(0)


def test_a_day_without_a_network(phone: BrowserContext, address: str, site: Runtime) -> None:
    page = install(phone, address)
    assert phone.new_cdp_session(page).send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
    enrol(page, site)
    page.close()
    phone.set_offline(True)
    page = start(phone, address)
    unlock(page, "000000")
    expect(page.locator(".problem")).to_have_text("That is not the PIN. Please try again.")
    unlock(page)
    open_screening(page)
    photograph(page, "left", encoded_eye(3, lesions=True))
    expect(page.locator("[data-eye=left] .verdict")).to_contain_text("#1 left eye: REFER")
    expect(page.locator("#told")).to_contain_text("Please go to the eye clinic soon")
    page.click("#listen")
    expect(page.locator("#listen")).to_have_attribute("data-playing", "yes")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()

    page = start(phone, address)  # closed in the middle, and opened again
    unlock(page)
    expect(page.locator("[data-eye=left] .verdict")).to_contain_text("REFER")
    photograph(page, "right", encoded_eye(4, lesions=False))
    expect(page.locator("[data-eye=right] .verdict")).to_contain_text("no referable signs")
    page.click("#close")
    expect(page.locator("#screenings li")).to_have_count(1)
    expect(page.locator("#screenings")).to_contain_text("REFER")
    _nothing_is_readable(page)

    phone.set_offline(False)
    expect(page.locator("#screenings")).to_contain_text("handed over to the clinic")
    page.reload()
    unlock(page)
    expect(page.locator("#screenings")).to_contain_text("handed over to the clinic")
    _there_is_one_result(site)


def _there_is_one_result(site: Runtime) -> None:
    with site.db.read() as tx:
        photos = tx.execute(sa.select(photo.c.id, photo.c.eye).order_by(photo.c.id)).all()
    assert [row.eye for row in photos] == ["left", "right"]
    for row in photos:
        read_photo(site, {"photo_id": row.id})
    with site.db.read() as tx:
        (case,) = tx.execute(sa.select(screening)).all()
        (theirs, ours) = (tx.execute(sa.select(each)).all() for each in (app_reading, reading))
    assert (case.outcome, case.birth_year, case.patient_msisdn) == ("refer", 1961, "+254722000002")
    assert [each.outcome for each in ours] == [each.content["outcome"] for each in theirs] == ["refer", "rescreen"]


def _nothing_is_readable(page: Page) -> None:
    kept = page.evaluate(
        """async () => {
          const database = await new Promise((resolve) => {
            const asked = indexedDB.open("jicho");
            asked.onsuccess = () => resolve(asked.result);
          });
          const found = [];
          for (const store of ["screenings", "photographs"]) {
            const all = await new Promise((resolve) => {
              const asked = database.transaction(store).objectStore(store).getAll();
              asked.onsuccess = () => resolve(asked.result);
            });
            for (const row of all) found.push(new TextDecoder("latin1").decode(row.sealed));
          }
          return found;
        }"""
    )
    assert len(kept) == 3, "a screening and two photographs"
    assert not any("1961" in text or "0722" in text or "JFIF" in text for text in kept)


def test_an_update_waits_for_an_open_screening(
    phone: BrowserContext, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = install(phone, address)
    before = release_of(page)
    open_screening(page)
    _publish_update(tmp_path, monkeypatch)
    other = start(phone, address)  # a second window finds it, and may not put it into use
    unlock(other)
    expect(other.locator("[data-eye=left]")).to_be_visible()
    other.click("#close")
    other.close()
    photograph(page, "left", encoded_eye(5, lesions=True))
    assert release_of(page) == before
    page.click("#close")
    unlock(page)  # the page began anew, in the new release
    expect(page.locator("#screenings li")).to_have_count(1)
    assert release_of(page) != before
    manifest = page.evaluate("fetch('/app/models/dr/manifest.json').then((found) => found.json())")
    assert manifest["version"] == "9.9.9"


def _publish_update(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another page and another model."""
    dist, models = folder / "dist", folder / "models"
    shutil.copytree(webapp_files.DIST, dist)
    page = dist / "index.html"
    page.write_text(page.read_text().replace("<title>Jicho", "<title>Jicho anew"))
    page.with_name("index.html.gz").unlink(missing_ok=True)
    shutil.copytree(Path(__file__).parents[3] / "models" / "dr", models / "dr")
    manifest = models / "dr" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": "9.9.9"}))
    monkeypatch.setattr(webapp_files, "DIST", dist)
    monkeypatch.setattr(webapp_files, "_MODELS", models)


def release_of(page: Page) -> str:
    found: str = page.evaluate(
        "caches.open('jicho').then((it) => it.match('/app/release/in-use')).then((it) => it.headers.get('X-Release'))"
    )
    return found
