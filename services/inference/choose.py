"""Which tier reads a photograph now, or whether it waits: a pure function of shortages, priority and available tiers.

Every tier that is in a manifest passed the same sensitivity floor at its own frozen threshold when it was released
(clinical rule 4), so whichever is chosen, about as many sick eyes are found; a smaller one costs specificity.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from services.site.strain import Strain

Priority = Literal["urgent", "routine", "background"]
TIERS = ("full", "medium", "light")  # largest first
_FULL, _MEDIUM, _LIGHT = range(3)


@dataclass(frozen=True)
class Decision:
    """`tier` is None for work that waits. `reason` is a stable id: a shortage, or "best" where there is none."""

    tier: str | None
    reason: str


def choose(strain: Strain, priority: Priority, tiers: Collection[str]) -> Decision:
    """The tier for one photograph, one of `tiers`. Raises ValueError when there is none of `TIERS` among them.

    On a battery that is nearly empty routine and background work waits: what it would burn keeps the phones answered
    for hours. An urgent case never waits. It gets the light tier: its answer costs the least charge, and a needless
    referral does less harm to somebody who may be losing her sight than no answer. A half-empty battery asks for the
    medium tier, little memory for the light one, and a full disk stops background work, which writes only what can be
    made again (clips, maps) and what can be sent later.
    """
    waits = waits_for(strain, priority)
    if waits:
        return Decision(None, waits)
    if "battery-low" in strain:
        return Decision(_at_most(_LIGHT, tiers), "battery-low")
    if "memory-low" in strain:
        return Decision(_at_most(_LIGHT, tiers), "memory-low")
    if "battery-half" in strain:
        return Decision(_at_most(_MEDIUM, tiers), "battery-half")
    return Decision(_at_most(_FULL, tiers), "best")


def waits_for(strain: Strain, priority: Priority) -> str:
    """The shortage that work of this priority waits out, or an empty string."""
    if priority != "urgent" and "battery-low" in strain:
        return "battery-low"
    if priority == "background" and "disk-low" in strain:
        return "disk-low"
    return ""


def _at_most(rank: int, tiers: Collection[str]) -> str:
    """The largest tier that is not larger than asked; where all are larger, the smallest."""
    available = [tier for tier in TIERS if tier in tiers]
    if not available:
        raise ValueError(f"none of {', '.join(TIERS)} among {', '.join(tiers) or 'no tiers'}")
    fitting = [tier for tier in available if TIERS.index(tier) >= rank]
    return fitting[0] if fitting else available[-1]
