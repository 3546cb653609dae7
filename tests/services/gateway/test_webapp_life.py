"""What becomes of what a phone kept: another PIN, consents taken back before and after the handover, a specialist's
verdict, one eye, and a phone that the clinic closes."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect
from webapp import gateway
from webapp_phone import enrol, install, kept, open_screening, photograph, small_phone, start, unlock

from services.bench.webapp_pictures import encoded_eye
from services.runtime import Runtime
from services.screening import pocket_life
from services.screening.reading import read_photo
from services.store.clock import now_ms
from services.store.tables import photo, reading, review, screening

OTHER_PIN = "975310"


def test_the_life_of_what_was_kept(site: Runtime, tmp_path: Path) -> None:
    with gateway() as address, small_phone(tmp_path / "phone") as phone:
        page = install(phone, address)
        _a_small_copy_is_kept(page)
        _another_pin_opens_the_same(page)
        page = start(phone, address)
        unlock(page, OTHER_PIN)
        _taken_back_before_the_handover(page)
        enrol(page, site)
        _one_eye_and_a_verdict(page, site)
        _taken_back_without_a_network(phone, page, site)
        _closed_by_the_clinic(page, site)


def _a_small_copy_is_kept(page: Page) -> None:
    """What a camera makes, of several megabytes, is small before it is read; the same picture is no second one."""
    open_screening(page)
    large = encoded_eye(4, lesions=False, size=1800, quality=97)
    assert len(large) > 400_000
    photograph(page, "left", large)
    (copy,) = kept(page, "photographs")
    assert len(copy) < 300_100
    page.set_input_files("#photo-right", {"name": "eye.jpg", "mimeType": "image/jpeg", "buffer": large})
    expect(page.locator("[data-eye=right] p[role=status]").last).to_contain_text(
        "same photo was sent for the other eye"
    )
    page.click("#close")


def _another_pin_opens_the_same(page: Page) -> None:
    before = kept(page, "screenings", "photographs")
    page.click("#change-pin")
    page.fill("#pin", "111111")
    page.fill("#new-pin", OTHER_PIN)
    page.click("#pin-form button")
    expect(page.locator(".problem")).to_have_text("That is not the PIN. Please try again.")
    unlock(page)
    expect(page.locator("#notice")).to_contain_text("PIN was changed")
    assert kept(page, "screenings", "photographs") == before, "only its key is wrapped anew"
    page.reload()
    unlock(page)
    expect(page.locator(".problem")).to_have_text("That is not the PIN. Please try again.")
    unlock(page, OTHER_PIN)
    expect(page.locator("#screenings li")).to_have_count(1)
    page.close()


def _taken_back_before_the_handover(page: Page) -> None:
    page.click("#screenings button")
    page.click("#withdraw")
    page.click("#erase")
    expect(page.locator("#screen")).to_contain_text("photos and answers are erased")
    assert kept(page, "screenings", "photographs") == []
    page.click("#close")
    expect(page.locator("#screenings")).to_have_count(0)


def _one_eye_and_a_verdict(page: Page, site: Runtime) -> None:
    open_screening(page)
    photograph(page, "left", encoded_eye(4, lesions=False))
    page.click("#one-eye")
    expect(page.locator("#told")).to_contain_text("12 months")
    page.click("#close")
    expect(page.locator("#screenings")).to_contain_text("handed over to the clinic")
    with site.db.read() as tx:
        number = tx.execute(sa.select(photo.c.id)).scalar_one()
    read_photo(site, {"photo_id": number})
    with site.db.write() as tx:
        (case,) = tx.execute(sa.select(screening)).all()
        assert case.outcome == "rescreen", "one eye was enough"
        verdict = {"screening_id": case.id, "review_ref": 1, "reviewer": 1, "outcome_before": "rescreen", "told": ""}
        verdict |= {"outcome": "refer", "eyes": {"left": {"grade": 3, "oedema": False}}, "applied": True}
        verdict |= {"last_reading": tx.execute(sa.select(reading.c.id)).scalar_one()}
        tx.execute(review.insert().values(verdict | {"reviewed_at": now_ms(), "applied_at": now_ms()}))
        tx.execute(screening.update().values(outcome="refer"))
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#screenings")).to_contain_text("REFER")
    page.click("#screenings button")
    expect(page.locator("#from-clinic")).to_contain_text("eye clinic soon")
    page.click("#close")


def _taken_back_without_a_network(phone: BrowserContext, page: Page, site: Runtime) -> None:
    phone.set_offline(True)
    page.click("#screenings button")
    page.click("#withdraw")
    page.click("#erase")
    page.click("#close")
    expect(page.locator("#screenings")).to_contain_text("consent taken back · not handed over yet")
    phone.set_offline(False)
    expect(page.locator("#screenings")).to_have_count(0)
    assert kept(page, "screenings") == []
    with site.db.read() as tx:
        assert tx.execute(sa.select(screening.c.state)).scalars().all() == ["withdrawn"]


def _closed_by_the_clinic(page: Page, site: Runtime) -> None:
    open_screening(page)
    page.click("#close")
    expect(page.locator("#screenings")).to_contain_text("handed over to the clinic")
    with site.db.write() as tx:
        assert pocket_life.revoke(tx, 1)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#notice")).to_contain_text("closed the app on this phone")
    expect(page.locator("label[for=pin]")).to_contain_text("Choose a PIN")
    assert kept(page, "meta", "screenings", "photographs") == []
