"""How long a health worker waits: from the photograph accepted by the gateway to the SMS at the carrier."""

from __future__ import annotations

import io
import time
from typing import Any

from models.dr.phantom import draw
from services.bench.percentile import percentile
from services.bench.stack import Stack

_PHOTOGRAPHS = 30
_WORKER = "+254711000001"


def pipeline() -> dict[str, Any]:
    """`median_s, p95_s, slowest_s` over drawn photographs of 1600 × 1600 pixels, one at a time on an idle stack."""
    with Stack() as stack:
        stack.command("worker", "add", _WORKER, "Achieng", "--language", "en")
        stack.settle(seconds=120)
        waits = []
        for number in range(_PHOTOGRAPHS):
            code = open_screening(stack, _WORKER)
            waits.append(send_sample(stack, code, "left", number))
            stack.settle()
    return {
        "median_s": round(percentile(waits, 0.5), 3),
        "p95_s": round(percentile(waits, 0.95), 3),
        "slowest_s": round(max(waits), 3),
        "photographs": len(waits),
    }


def open_screening(stack: Stack, worker: str) -> str:
    """The code of a new screening without a patient's phone."""
    stack.dial(worker)
    for answer in ("1", "1", "1961", "1", "3", "98", "1", "2"):
        screen = stack.dial(worker, answer)
    return screen.split("Code: ")[1][:6]


def send_sample(stack: Stack, code: str, eye: str, seed: int) -> float:
    """Sends one drawn eye by MM7. Seconds from the gateway's "stored" to the carrier's receipt of the result."""
    file = io.BytesIO()
    draw(seed, 1600, lesions=seed % 2 == 0).save(file, "JPEG", quality=85)
    before = len(stack.ledger())
    stack.send_picture(_WORKER, file.getvalue(), f"{code} {eye}", via="mm7")
    began = time.time()

    def result() -> Any:
        found = [
            entry for entry in stack.ledger()[before:] if entry["kind"] == "sms" and f"{code} {eye}" in entry["text"]
        ]
        return found[0] if found else None

    entry = stack.wait_for(result, "the result's SMS")
    return max(0.0, float(entry["at"]) - began)
