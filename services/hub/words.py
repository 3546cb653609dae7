"""What the hub's pages say: from one catalogue, in English. Times and amounts in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flows.catalogue import Counted, read_po
from services.hub.intervals import Rate
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms

_CATALOGUE = Path(__file__).with_name("locale") / "en.po"
_STEPS = ((DAY_MS, "age-days"), (HOUR_MS, "age-hours"), (MINUTE_MS, "age-minutes"))
UNKNOWN = "–"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, str]:
    """Every text, by id."""
    return read_po(_CATALOGUE)


def words(message_id: str, **params: object) -> str:
    """One text. Raises KeyError for an id that is none, or a missing parameter."""
    sentence = catalogue()[message_id]
    if isinstance(sentence, Counted):
        sentence = sentence.forms[sentence.rule(params[sentence.counts])]
    return sentence.format_map(params) if params else sentence


def age(at_ms: int | None) -> str:
    """How long ago, in words: "3 days ago"."""
    return words("age-never") if at_ms is None else words("age-ago", span=span(now_ms() - at_ms))


def span(milliseconds: int | None) -> str:
    """So long, in words: "3 days"."""
    if milliseconds is None:
        return UNKNOWN
    for step, message_id in _STEPS:
        if abs(milliseconds) >= step:
            return words(message_id, n=abs(milliseconds) // step)
    return words("age-moment")


def when(at_ms: int | None) -> str:
    """The time, to the minute, UTC."""
    return UNKNOWN if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


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


def percent(share: float | None) -> str:
    """A share of one, as a percentage."""
    return UNKNOWN if share is None else f"{100 * share:.1f} %"
