"""What the whole stack weighs, warm and after work, and how soon a new gateway answers its first caller."""

from __future__ import annotations

import statistics
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from services.bench.pipeline import open_screening, send_sample
from services.bench.stack import NotInTime, Stack

_STARTS = 5


def memory() -> dict[str, Any]:
    """`gateway_rss_mb`, `stack_rss_mb`, `stack_pss_mb` (shared pages counted once), each process, `first_turn_s`.

    The stand-in carrier and its page belong to the trial, not to the service: they are counted apart.
    """
    first_turn = statistics.median(_first_turn_s() for _ in range(_STARTS))
    with Stack() as stack:
        stack.command("worker", "add", "+254711000001", "Achieng", "--language", "en")
        stack.settle(seconds=120)
        for number in range(10):
            send_sample(stack, open_screening(stack, "+254711000001"), "left", number)
        stack.settle(seconds=120)
        rows = {}
        for child in stack.children() + stack.own_processes():
            words = child.cmdline()
            name = " ".join(words[2:5]) if "app.py" in " ".join(words) else "queue server"
            info = child.memory_full_info()
            rows[name] = {"rss_mb": round(info.rss / 2**20, 1), "pss_mb": round(info.pss / 2**20, 1)}
    service = [row for name, row in rows.items() if name != "simulator"]
    return {
        "gateway_rss_mb": rows["gateway"]["rss_mb"],
        "stack_rss_mb": round(sum(row["rss_mb"] for row in service), 1),
        "stack_pss_mb": round(sum(row["pss_mb"] for row in service), 1),
        "first_turn_s": round(first_turn, 2),
        "processes": rows,
    }


def _first_turn_s() -> float:
    """Seconds from the launcher's start, on an empty data directory, to the first screen a caller gets."""
    form = {"sessionId": "first", "serviceCode": "*384*77#", "phoneNumber": "+254711000001", "networkCode": "63902"}
    body = urllib.parse.urlencode(form | {"text": ""}).encode()
    began = time.monotonic()
    with Stack(wait=False) as stack:
        while time.monotonic() < began + 30:
            try:
                token = stack.secrets()["at_token"]
                with urllib.request.urlopen(f"{stack.gateway_url}/at/{token}/ussd", body, timeout=5) as answer:
                    if answer.read().startswith(b"CON "):
                        return time.monotonic() - began
            except (OSError, urllib.error.URLError):
                time.sleep(0.02)
    raise NotInTime("the gateway did not answer within 30 s of its start")
