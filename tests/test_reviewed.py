"""A photograph is read at a site, a reviewer at the hub judges it in her browser, and the patient is called again."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect, sync_playwright
from served_hub import ServedHub

from flows.catalogue import text
from models.dr.phantom import draw
from services.bench.stack import Stack
from services.hub.certificate import certificate_of
from services.hub.enrolment import issue
from services.hub.reviewers import add
from services.hub.tables import photograph, review
from services.screening.codes import clean

WORKER, PATIENT = "+254711000001", "+254722000002"
CHROMIUM = shutil.which("chromium")
SHOWN = Path(__file__).parents[1] / "docs" / "hub.png"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
NOON = 12 - datetime.now(UTC).hour
ZONE = f"Etc/GMT{'-' if NOON > 0 else '+'}{abs(NOON)}"  # where it is day now: nobody is called at night


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    with ServedHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def stack(hub: ServedHub) -> Iterator[Stack]:
    with Stack({"JICHO_SYNC_SECONDS": "1", "JICHO_TIMEZONE": ZONE}) as running:
        running.command("worker", "add", WORKER, "Achieng", "--language", "en")
        with hub.hub.db.write() as tx:
            code = issue(tx, "Siaya", hub.url, certificate_of(hub.hub.settings).pin)
        running.command("sync", "enrol", code)
        yield running


@pytest.fixture(scope="module")
def page(hub: ServedHub) -> Iterator[Page]:
    """A reviewer's browser, on a phone."""
    assert CHROMIUM, "`make test` installs Debian's chromium"
    with hub.hub.db.write() as tx:
        password = add(tx, "Dr Atieno", "reviewer")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page(ignore_https_errors=True, viewport={"width": 412, "height": 915})
        opened.goto(hub.url)
        opened.get_by_label("Name").fill("Dr Atieno")
        opened.get_by_label("Password").fill(password)
        opened.get_by_role("button", name="Sign in").click()
        yield opened
        browser.close()


def eye(*, lesions: bool, seed: int) -> bytes:
    file = io.BytesIO()
    draw(seed, lesions=lesions).save(file, "JPEG", quality=88)
    return file.getvalue()


def sms_to(stack: Stack, msisdn: str) -> list[str]:
    return [
        e["text"] for e in stack.ledger() if e["kind"] == "sms" and e["sender"] == "gateway" and e["msisdn"] == msisdn
    ]


def screened(stack: Stack) -> str:
    """The code of a patient in whose left eye the model sees signs, and none in the right."""
    screen = stack.dial(WORKER)
    for answer in ("1", "1", "1961", PATIENT, "3", "98", "1", "2"):
        screen = stack.dial(WORKER, answer)
    code = clean(screen.split("Code: ")[1][:6])
    assert code is not None
    for which, lesions in (("left", True), ("right", False)):
        stack.send_picture(WORKER, eye(lesions=lesions, seed=3), f"{code} {which}", via="mm7")
        stack.wait_for(lambda: any(f"{code} {which}" in said for said in sms_to(stack, WORKER)), f"the {which} eye")  # noqa: B023
    return code


def came(hub: ServedHub) -> bool:
    with hub.hub.db.read() as tx:
        return tx.execute(sa.select(photograph.c.id).where(photograph.c.heatmap_key.is_not(None))).first() is not None


def told(hub: ServedHub) -> str | None:
    with hub.hub.db.read() as tx:
        return tx.execute(sa.select(review.c.told)).scalar()


def test_from_photograph_to_review_and_back_to_the_patient(
    hub: ServedHub, stack: Stack, page: Page, request: pytest.FixtureRequest
) -> None:
    code = screened(stack)
    ready = text("en", "patient-ready", clinic="Jicho", ussd="*384*77#")
    stack.wait_for(lambda: sms_to(stack, PATIENT) == [ready], "the patient's first SMS")
    stack.wait_for(lambda: came(hub), "the photograph at the hub", seconds=120)

    page.get_by_role("link", name="Review").click()
    expect(page.get_by_text("1 screening waits for a reviewer.")).to_be_visible()
    page.get_by_role("link", name="Case 1").click()
    pictures = page.locator("figure img")
    expect(pictures).to_have_count(2)
    for each in pictures.all():
        each.scroll_into_view_if_needed()
        expect(each).to_have_js_property("complete", True)
        assert each.evaluate("image => image.naturalWidth") > 300
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off on a phone"
    for secret in (code, PATIENT, PATIENT[1:], WORKER, "Achieng"):
        assert secret not in page.content()
    if request.config.getoption("--regenerate"):
        page.set_viewport_size({"width": 1000, "height": 1100})
        page.screenshot(path=str(SHOWN))
    page.get_by_role("group", name="Left eye: ICDR grade").get_by_label("1 mild").check()
    expect(page.get_by_text("What the machine found in this eye stands")).to_be_visible()
    page.get_by_label("no referable signs: again in 12 months").check()
    page.get_by_role("button", name="Save the verdict").click()
    expect(page.get_by_text("0 screenings wait for a reviewer.")).to_be_visible()

    stack.command("sync", "now")
    news = text("en", "patient-news", clinic="Jicho", ussd="*384*77#")
    stack.wait_for(lambda: sms_to(stack, PATIENT) == [ready, news], "the patient's second SMS")
    assert text("en", "worker-reviewed-rescreen", code=code) in sms_to(stack, WORKER)
    stack.wait_for(lambda: told(hub) == "called", "the site's word that she is called")

    screen = stack.dial(PATIENT)
    for answer in ("3", "1", code):
        screen = stack.dial(PATIENT, answer)
    assert text("en", "result-reviewed") in screen
    assert text("en", "result-rescreen").split(".")[0] in screen
