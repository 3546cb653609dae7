"""What the hub's pages say: from one catalogue, in English."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.hub.intervals import Rate
from services.pages.words import UNKNOWN, Words, percent, when

__all__ = ["age", "alert_words", "catalogue", "month_words", "percent", "rate_words", "span", "when", "words"]

_WORDS = Words(Path(__file__).with_name("locale") / "en.po")
words, age, span = _WORDS.text, _WORDS.age, _WORDS.span


def catalogue() -> dict[str, str]:
    """Every text, by id."""
    return _WORDS.catalogue


def rate_words(rate: Rate) -> str:
    """A rate with its interval."""
    if rate.share is None:
        return UNKNOWN
    low, high = map(percent, rate.interval)
    return words("rate", share=percent(rate.share), part=rate.part, whole=rate.whole, low=low, high=high)


def alert_words(alert: Mapping[str, Any]) -> str:
    """What an alert rests on, by `services.hub.alerts`."""
    kind, detail = alert["kind"], alert["detail"]
    if "share" in detail:
        shares = {name: percent(detail[name]) for name in ("share", "low", "high")}
        said = words("detail-limits", of=detail["of"], **shares)
        return f"{detail['model']}: {said}" if "model" in detail else said
    if kind == "clock":
        direction = "ahead" if detail["ahead_ms"] > 0 else "behind"
        return words(f"detail-clock-{direction}", span=span(detail["ahead_ms"]))
    if kind == "not-seen":
        return words("detail-not-seen", age=age(detail["seen_at"]))
    if kind == "backlog":
        return words("detail-backlog", backlog=detail["backlog"], span=span(detail["oldest_ms"]))
    return words(f"detail-{kind}", battery=detail["battery_percent"], disk=detail["disk_mb"])


def month_words(month: Mapping[str, Any]) -> str:
    """What a site moved over its link and what all its messages and calls cost, as `services.ledger` reports it."""
    return words("month", megabytes=f"{month['bytes'] / 1e6:,.1f}", dollars=f"{month['cost'] / 1e6:,.2f}")
