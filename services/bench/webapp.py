"""The web app in a real Chromium: what it costs to load, how fast it starts and reads, and whether it agrees."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.bench.webapp_browser import ARGUMENTS, chromium, load, read, start_reading
from services.bench.webapp_pictures import drawn, encoded_eye, real

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

DRAWN, REAL = 200, 100
_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "dr"
_SLOW = 4  # times as slow as this machine: what a cheap phone is
_READINGS = 15
_PIN = "240613"
_PATIENCE_MS = 120_000
# Notes when the first screen that answers a finger is there, and every task that held the page for 50 ms or more.
_WATCH = """() => {
  window.held = [];
  new PerformanceObserver((list) => held.push(...list.getEntries().map((it) => it.duration)))
    .observe({ type: "longtask", buffered: true });
  new MutationObserver(() => {
    if (!window.answers && document.querySelector("#pin")) window.answers = performance.now();
  }).observe(document, { childList: true, subtree: true });
}"""


def webapp() -> dict[str, Any]:
    """`first_load` (bytes on the wire until the app works offline, and of that before it asks), `offline_start_ms` on a
    processor four times as slow, until the screen asks for the PIN; for each tier `model_ms` (all views of a reading)
    and `total_ms`; `longest_block_ms` of the page while photographs are read, 0 when none reached 50; and `parity` with
    the server, on drawn photographs and on real ones where there are some. Raises NoChromium."""
    with _gateway() as address:
        figures = _as_a_worker_sees_it(address)
        with chromium() as browser:
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(f"{address}/app/")
            start_reading(page)
            figures["tiers"] = {tier: _speed(page, tier) for tier in ("full", "medium", "light")}
            figures["parity"] = _parity(page)
    return figures


@contextmanager
def _gateway() -> Iterator[str]:
    from waitress.server import create_server

    from app import create_app
    from services import runtime
    from services.store.migrate import migrate

    with tempfile.TemporaryDirectory(prefix="jicho-") as directory:
        os.environ["JICHO_DATA_DIR"] = directory
        migrate(runtime.current().db)
        server = create_server(create_app(), host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        yield f"http://127.0.0.1:{server.effective_port}"
        server.close()


def _as_a_worker_sees_it(address: str) -> dict[str, Any]:
    import shutil

    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="jicho-phone-") as folder, sync_playwright() as play:
        phone = play.chromium.launch_persistent_context(
            folder,
            executable_path=shutil.which("chromium"),
            args=list(ARGUMENTS),
            viewport={"width": 360, "height": 640},
        )
        phone.set_default_timeout(_PATIENCE_MS)
        phone.add_init_script(f"({_WATCH})()")
        first = _first_load(phone, address)
        phone.set_offline(True)
        starts = [_offline_start(phone, address) for _ in range(3)]
        block = _longest_block(phone, address)
        phone.close()
    return {"first_load": first, "offline_start_ms": round(statistics.median(starts)), "longest_block_ms": round(block)}


def _first_load(phone: BrowserContext, address: str) -> dict[str, int]:
    page = phone.new_page()
    counted = {"bytes": 0, "before_asking_bytes": 0}
    session = phone.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda it: _count(counted, int(it["encodedDataLength"])))
    page.goto(f"{address}/app/")
    page.click("button[lang=en]")
    page.wait_for_selector("#download")
    counted["before_asking_bytes"] = counted["bytes"]
    page.click("#download")
    page.fill("#pin", _PIN)
    page.keyboard.press("Enter")
    page.wait_for_selector("#new")
    page.close()
    return counted


def _count(counted: dict[str, int], more: int) -> None:
    counted["bytes"] += more


def _offline_start(phone: BrowserContext, address: str) -> float:
    page = phone.new_page()
    phone.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": _SLOW})
    page.goto(f"{address}/app/")
    page.wait_for_selector("#pin")
    found: float = page.evaluate("window.answers")
    page.close()
    return found


def _longest_block(phone: BrowserContext, address: str) -> float:
    page = phone.new_page()
    page.goto(f"{address}/app/")
    page.fill("#pin", _PIN)
    page.keyboard.press("Enter")
    page.click("#new")
    for field, value in {"sex": "male", "consent": "yes", "urgent": "no"}.items():
        page.check(f"input[name={field}][value={value}]")
    page.fill("#born", "1961")
    page.click("#details button")
    page.wait_for_selector("[data-eye=left]")
    page.evaluate("held.length = 0")
    with tempfile.TemporaryDirectory() as camera:
        for eye in ("left", "right"):
            # By its path: as bytes it would go through the page, which that holds up for longer than the app does.
            file = Path(camera, f"{eye}.jpg")
            file.write_bytes(encoded_eye(1 if eye == "left" else 3, lesions=False, size=1200))
            page.set_input_files(f"#photo-{eye}", file)
            page.wait_for_selector(f"[data-eye={eye}] .verdict")
    found: list[float] = page.evaluate("held")
    page.close()
    return max(found, default=0.0)


def _speed(page: Page, tier: str) -> dict[str, float]:
    assert "error" not in load(page, tier)
    content = encoded_eye(1, lesions=False, size=800)
    times = [read(page, tier, content)["reading"]["milliseconds"] for _ in range(_READINGS)]
    return {
        "model_ms": round(statistics.median(each["model"] for each in times)),
        "model_fastest_ms": round(min(each["model"] for each in times)),
        "total_ms": round(statistics.median(each["total"] for each in times)),
    }


def _parity(page: Page) -> dict[str, Any]:
    from services.bench.webapp_parity import compare

    found = {"drawn": compare(page, drawn(DRAWN))}
    if (_DATA / "labels.csv").is_file():
        found["real"] = compare(page, real(_DATA, REAL))
    return {kind: {tier: asdict(agreement) for tier, agreement in tiers.items()} for kind, tiers in found.items()}
