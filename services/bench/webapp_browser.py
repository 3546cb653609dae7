"""The web app in a real Chromium: its own page, its own reading thread."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from services.gateway.webapp_files import DIST
from services.programmes import FIRST

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
# Asks the shipped thread as the page does: same file, same messages.
_THREAD = """(url) => {
  const thread = new Worker(url, { type: "module" });
  const waiting = new Map();
  let last = 0;
  thread.onmessage = ({ data }) => { if (!("stage" in data)) waiting.get(data.id)(data); };
  window.ask = (what, programme, tier, encoded) => new Promise((resolve) => {
    const id = ++last;
    waiting.set(id, resolve);
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    thread.postMessage({ id, what, folder: `/app/models/${programme}/`, tier, photograph: new Blob([bytes]) });
  });
}"""


class NoChromium(Exception):
    """Chromium or Playwright is not installed here."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Raises NoChromium."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        raise NoChromium("the web app is measured in Chromium, by Playwright: `make setup-test` installs both")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def start_reading(page: Page) -> None:
    """Starts the reading thread on a page of the app."""
    (script,) = (path.name for path in (DIST / "assets").glob("worker-*.js"))
    page.evaluate(_THREAD, f"/app/assets/{script}")


def load(page: Page, tier: str, programme: str = FIRST) -> dict[str, Any]:
    """Loads and warms a tier: `{"reading": None}` or `{"error", "detail"}`."""
    found: dict[str, Any] = page.evaluate("([programme, tier]) => ask('load', programme, tier, '')", [programme, tier])
    return found


def read(page: Page, tier: str, photograph: bytes, programme: str = FIRST) -> dict[str, Any]:
    """What the browser makes of a file: `{"reading"}` or `{"error", "detail"}`."""
    encoded = base64.b64encode(photograph).decode()
    found: dict[str, Any] = page.evaluate("(given) => ask('read', ...given)", [programme, tier, encoded])
    return found
