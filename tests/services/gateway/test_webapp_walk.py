"""A health worker's day with the web app in Chromium: installed, offline, photographs, results, closed and
opened again, and an update that comes while a screening is open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect
from webapp import gateway
from webapp_phone import (
    enrol,
    install,
    kept,
    open_screening,
    photograph,
    release_of,
    render_sounds,
    small_phone,
    start,
    unlock,
)

from services.bench.webapp_pictures import encoded_eye
from services.commands.webapp import APP
from services.gateway import webapp_files
from services.runtime import Runtime
from services.screening.reading import read_photo
from services.store.phones import number_of
from services.store.tables import app_reading, photo, reading, screening


@pytest.fixture
def address(site: Runtime) -> Iterator[str]:
    render_sounds(site)
    with gateway() as address:
        yield address


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[BrowserContext]:
    with small_phone(tmp_path / "phone") as context:
        yield context


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
        patient = number_of(tx, case.patient_msisdn)
        (theirs, ours) = (tx.execute(sa.select(each)).all() for each in (app_reading, reading))
    assert (case.outcome, case.birth_year, patient) == ("refer", 1961, "+254722000002")
    assert [each.outcome for each in ours] == [each.content["outcome"] for each in theirs] == ["refer", "rescreen"]


def _nothing_is_readable(page: Page) -> None:
    found = kept(page, "screenings", "photographs")
    assert len(found) == 3, "a screening and two photographs"
    assert not any("1961" in text or "0722" in text or "JFIF" in text for text in found)


def test_an_update_of_app_and_model_while_a_screening_is_open_loses_nothing(
    phone: BrowserContext, address: str, site: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = install(phone, address)
    enrol(page, site)
    before = release_of(page)
    _publish_update(tmp_path / "wrong", monkeypatch, golden=_turned_round)
    page.reload()
    unlock(page)
    expect(page.locator("#notice")).to_contain_text("answers wrongly on this phone and is not used")
    assert release_of(page) == before, "a model that answers otherwise than it should is refused"
    open_screening(page)
    photograph(page, "left", encoded_eye(5, lesions=True))
    _publish_update(tmp_path / "right", monkeypatch)
    other = start(phone, address)  # a second window finds it, and may not put it into use
    unlock(other)
    expect(other.locator("[data-eye=left] .verdict")).to_be_visible()
    other.click("#close")
    expect(other.locator("#notice")).to_contain_text("starts when no screening is open")
    other.close()
    photograph(page, "right", encoded_eye(4, lesions=False))
    assert release_of(page) == before, "both eyes in one release"
    page.click("#close")
    unlock(page)  # the page began anew, in the new release
    assert release_of(page) != before
    assert page.title() == "Jicho anew"
    manifest = page.evaluate("fetch('/app/models/dr/manifest.json').then((found) => found.json())")
    assert manifest["version"] == "9.9.9"
    expect(page.locator("#screenings")).to_contain_text("handed over to the clinic")
    page.click("#screenings button")
    expect(page.locator("[data-eye=left] .verdict")).to_contain_text("REFER")
    expect(page.locator("[data-eye=right] .verdict")).to_contain_text("no referable signs")
    _there_is_one_result(site)
    with site.db.read() as tx:
        versions = {row.content["model"]["version"] for row in tx.execute(sa.select(app_reading))}
    assert versions == {webapp_files.load(_MODELS, "dr").version}, "read by the model that the screening began with"


_MODELS = Path(__file__).parents[3] / "models"


def _turned_round(case: dict[str, Any]) -> dict[str, Any]:
    return case | {"probability": {tier: 1 - value for tier, value in case["probability"].items()}}


def _publish_update(folder: Path, monkeypatch: pytest.MonkeyPatch, golden: Any = lambda case: case) -> None:
    """Another page and another model."""
    dist, models = folder / "dist", folder / "models"
    shutil.copytree(APP / "dist", dist)
    page = dist / "index.html"
    page.write_text(page.read_text().replace("<title>Jicho", "<title>Jicho anew"))
    page.with_name("index.html.gz").unlink(missing_ok=True)
    shutil.copytree(_MODELS / "dr", models / "dr")
    manifest = models / "dr" / "manifest.json"
    said = json.loads(manifest.read_text())
    said |= {"version": "9.9.9", "golden": [golden(case) for case in said["golden"]]}
    manifest.write_text(json.dumps(said))
    monkeypatch.setattr(webapp_files, "DIST", dist)
    monkeypatch.setattr(webapp_files, "_MODELS", models)
