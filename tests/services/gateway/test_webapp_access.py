"""The web app by keyboard alone, on the narrowest screen, with what a screen reader is told; each screen is looked over
by axe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as NotInTime
from webapp import gateway
from webapp_phone import PIN, render_sounds, small_phone, start

from services.bench.webapp_pictures import encoded_eye
from services.commands.webapp import APP
from services.runtime import Runtime

NARROW = 320  # CSS pixels: the narrowest there is; WCAG 2.2, 1.4.10
MOST_STEPS, MOST_PRESSES = 40, 4
AXE = APP / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def phone(site: Runtime, tmp_path: Path) -> Iterator[tuple[BrowserContext, str]]:
    render_sounds(site)
    with gateway() as address, small_phone(tmp_path / "phone", width=NARROW, height=568) as context:
        yield context, address


def go_to(page: Page, what: str) -> None:
    """Presses Tab until the focus is there."""
    for _ in range(MOST_STEPS):
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{what} cannot be reached by Tab")


def press(page: Page, what: str) -> None:
    go_to(page, what)
    page.keyboard.press("Enter")


def choose(page: Page, name: str, value: str) -> None:
    """A radio button of a group: Tab leads to the first one, arrows to the others."""
    go_to(page, f"input[name={name}]")
    page.keyboard.press("Space")
    for _ in range(4):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{name} has no {value}")


def take(page: Page, eye: str, file: Path) -> None:
    """Goes to the file input and presses, as a person does until the files show: a machine without a screen sometimes
    swallows the first."""
    for _ in range(MOST_PRESSES):
        go_to(page, f"#photo-{eye}")
        with suppress(NotInTime):
            with page.expect_file_chooser(timeout=15_000) as chosen:
                page.keyboard.press("Space")
            chosen.value.set_files(file)
            return
    pytest.fail("no files are shown")


def looked_over(page: Page, heading: str) -> None:
    """The heading has the focus, nothing is cut off at the right, and axe finds nothing wrong."""
    expect(page.locator("h1:focus, h2:focus, #pin:focus")).to_have_count(1)
    expect(page.locator("h1")).to_have_text(heading)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, heading
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    wrong = {each["id"]: [node["html"] for node in each["nodes"]] for each in found["violations"]}
    assert wrong == {}, heading


def spoken(page: Page) -> list[tuple[str, str]]:
    """Role and name of everything that a screen reader meets."""
    tree: list[dict[str, Any]] = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    met = [node for node in tree if not node["ignored"]]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in met]


def test_the_whole_screening_by_keyboard(phone: tuple[BrowserContext, str], tmp_path: Path) -> None:
    context, address = phone
    for name, seed, lesions in (("left", 3, True), ("right", 4, False)):
        (tmp_path / f"{name}.jpg").write_bytes(encoded_eye(seed, lesions=lesions))
    page = start(context, address)
    expect(page.locator("button[lang=en]")).to_be_visible()
    looked_over(page, "Jicho")
    press(page, "button[lang=en]")
    expect(page.locator("#download")).to_be_visible()
    looked_over(page, "Jicho")
    press(page, "#download")
    expect(page.locator("#pin")).to_be_focused()
    looked_over(page, "Jicho")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.locator("#new")).to_be_visible()
    looked_over(page, "Jicho")

    press(page, "#new")
    looked_over(page, "New screening")
    choose(page, "sex", "female")
    go_to(page, "#born")
    page.keyboard.type("1961")
    choose(page, "consent", "yes")
    choose(page, "urgent", "no")
    press(page, "#details button")
    expect(page.locator("[data-eye=left]")).to_be_visible()
    looked_over(page, "#1")
    assert [name for role, name in spoken(page) if role == "heading"] == ["#1", "Left eye", "Right eye"]
    assert [name for role, name in spoken(page) if "eye" in name and role == "button"], "its file input has a name"

    take(page, "left", tmp_path / "left.jpg")
    expect(page.locator("[data-eye=left] .verdict")).to_be_visible()
    expect(page.locator("[data-eye=left] h2")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("left eye: REFER")
    expect(page.locator("#said")).to_contain_text("Please go to the eye clinic")
    assert ("image", "Left eye") in spoken(page)
    looked_over(page, "#1")
    take(page, "right", tmp_path / "right.jpg")
    expect(page.locator("#said")).to_contain_text("right eye")
    press(page, "#close")
    expect(page.locator("#screenings li")).to_have_count(1)
    looked_over(page, "Jicho")
    for button, title in (("#change-pin", "Change the PIN"), ("#enrol", "Connect this phone to the clinic")):
        press(page, button)
        expect(page.locator("h1")).to_have_text(title)
        looked_over(page, title)
        press(page, "#screen > button.quiet")
        expect(page.locator("#new")).to_be_visible()
