"""What was measured before, each figure with the command or document it comes from, and what is assumed instead.

`figures.json` is data: it is written by hand after the named commands ran. Nothing here is scaled to other machines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("figures.json")
_MIB = 2**20 / 1_000_000

SYSTEM_MB = 300
"""Assumed for an operating system without a desktop: not measured."""
REMINDERS = 3
"""SMS about one referral at most (docs/decisions/014-referral-and-reminders.md)."""
FASTEST_WANTED_MS = 200
"""A prediction on a device with no internet should take less (the brief's decision framework)."""
AUDIO_BYTES_A_SECOND = {"wav": 16_000, "mulaw": 8_000, "mp3": 2_000}
"""What a second of a call weighs (docs/settings.md, JICHO_CALL_AUDIO)."""


@dataclass(frozen=True)
class Reading:
    """One tier on the reference machine: ms of one pass through the graph, and from JPEG to outcome (`views` passes),
    at rest and while other programs wanted the processor; MB of the process."""

    graph_ms: float
    views: int
    at_rest_ms: float
    busy_ms: float
    memory_mb: float


@dataclass(frozen=True)
class Carried:
    """One purpose's share of one screening on average: messages, calls or sessions; SMS parts; bytes on the link."""

    number: float
    parts: float
    bytes: float


@dataclass(frozen=True)
class Screening:
    """What one screening took. `heard_s`: seconds of sound that the patient heard in her call, as 16-bit WAV."""

    photographs: float
    photograph_bytes: float
    heard_s: float
    purposes: dict[str, Carried]


@dataclass(frozen=True)
class Figures:
    """All of them. Memory in MB of 1000² bytes, `program_mb` on the disk; hub figures are bytes on the link."""

    reference: str
    busy_load: float
    readings: dict[str, Reading]
    result_s: tuple[float, float]
    service_mb: float
    hub_mb: float
    program_mb: float
    data_mb: float
    photograph_kept_kb: float
    result_bytes: float
    report_bytes: float
    reports_a_month: float
    look_bytes: float
    hub_photograph_bytes: float
    share_to_hub: float
    share_referred: float
    screening: dict[str, Screening]
    sources: dict[str, str]


@lru_cache(maxsize=1)
def figures() -> Figures:
    """The figures of this release."""
    kept: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    reading, service, sync = kept["reading"], kept["service"], kept["sync"]
    return Figures(
        reference=kept["reference"],
        busy_load=reading["busy"]["load_1m"],
        readings={tier: _reading(tier, reading) for tier in reading["at_rest"]["tiers"]},
        result_s=(kept["pipeline"]["median_s"], kept["pipeline"]["p95_s"]),
        service_mb=service["stack_pss_mb"] * _MIB,
        hub_mb=kept["hub"]["pss_mb"] * _MIB,
        program_mb=kept["disk"]["program_mb"],
        data_mb=kept["disk"]["data_mb"],
        photograph_kept_kb=kept["disk"]["photograph_kb"],
        result_bytes=sync["result_bytes"],
        report_bytes=sync["report_bytes"],
        reports_a_month=sync["reports_a_month"],
        look_bytes=sync["look_bytes"],
        hub_photograph_bytes=sync["photograph_bytes"],
        share_to_hub=sync["share_of_screenings_sent"],
        share_referred=sync["share_of_screenings_referred"],
        screening={way: _screening(row) for way, row in kept["screening"]["by"].items()},
        sources={name: row["source"] for name, row in kept.items() if isinstance(row, dict)},
    )


def _reading(tier: str, kept: dict[str, Any]) -> Reading:
    rest, busy = (kept[how]["tiers"][tier] for how in ("at_rest", "busy"))
    return Reading(
        graph_ms=rest["p50_ms"],
        views=rest["views"],
        at_rest_ms=rest["end_to_end_p50_ms"],
        busy_ms=busy["end_to_end_p50_ms"],
        memory_mb=max(rest["rss_mb"], busy["rss_mb"]) * _MIB,
    )


def _screening(kept: dict[str, Any]) -> Screening:
    return Screening(
        photographs=kept["photographs"],
        photograph_bytes=kept["photograph_bytes"],
        heard_s=kept["heard_s"],
        purposes={
            name: Carried(row["number"], row["parts"], row["up"] + row["down"])
            for name, row in kept["purposes"].items()
        },
    )
