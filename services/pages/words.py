"""What pages say: from one catalogue a language. Times and shares in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path

from flows.catalogue import Counted, read_po
from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms

_STEPS = ((DAY_MS, "age-days"), (HOUR_MS, "age-hours"), (MINUTE_MS, "age-minutes"))
UNKNOWN = "–"


@dataclass(frozen=True)
class Words:
    """The texts of one PO file. It holds `age-never`, `age-ago`, `age-moment`, `age-days`, `age-hours` and
    `age-minutes` beside what its pages ask for."""

    path: Path

    @cached_property
    def catalogue(self) -> dict[str, str]:
        """Every text, by id."""
        return read_po(self.path)

    def text(self, message_id: str, **params: object) -> str:
        """One text. Raises KeyError for an id that is none, or a missing parameter."""
        sentence = self.catalogue[message_id]
        if isinstance(sentence, Counted):
            sentence = sentence.forms[sentence.rule(params[sentence.counts])]
        return sentence.format_map(params) if params else sentence

    def age(self, at_ms: int | None) -> str:
        """How long ago, in words: "3 days ago"."""
        return self.text("age-never") if at_ms is None else self.text("age-ago", span=self.span(now_ms() - at_ms))

    def span(self, milliseconds: int | None) -> str:
        """So long, in words: "3 days"."""
        if milliseconds is None:
            return UNKNOWN
        for step, message_id in _STEPS:
            if abs(milliseconds) >= step:
                return self.text(message_id, n=abs(milliseconds) // step)
        return self.text("age-moment")


def when(at_ms: int | None, zone: tzinfo = UTC) -> str:
    """The time, to the minute; UTC unless told otherwise."""
    if at_ms is None:
        return UNKNOWN
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")


def percent(share: float | None) -> str:
    """A share of one, as a percentage."""
    return UNKNOWN if share is None else f"{100 * share:.1f} %"
