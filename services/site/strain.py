"""What a site is short of, by name. What begins at one limit ends only somewhat above it, so that nothing flaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.site.probes import Site

Shortage = Literal["battery-low", "battery-half", "memory-low", "disk-low"]
Strain = frozenset[Shortage]
SHORTAGES: tuple[Shortage, ...] = ("battery-low", "battery-half", "memory-low", "disk-low")
NONE: Strain = frozenset()

_MORE = 1.25  # a quarter more memory or disk than the limit ends a shortage


@dataclass(frozen=True)
class Limits:
    """Below what a shortage begins: percent of charge, MiB. A shortage of charge ends `battery_margin` points above its
    limit; `battery_low` with the margin lies below `battery_half`."""

    battery_low: float = 20
    battery_half: float = 50
    battery_margin: float = 5
    memory_low: float = 200
    disk_low: float = 500


def strain(site: Site, limits: Limits, before: Strain = NONE) -> Strain:
    """The shortages of a site, given those that held `before`.

    On mains there is none of charge, however empty the battery: it fills. What is unknown is no shortage, except on
    battery: a charge that nobody knows counts as half.
    """

    def short(value: float | None, shortage: Shortage, limit: float, enough: float) -> bool:
        return value is not None and value < (enough if shortage in before else limit)

    percent = None if site.on_mains else site.battery_percent
    if site.on_mains is False and percent is None:
        percent = limits.battery_low + limits.battery_margin
    found: set[Shortage] = set()
    if short(percent, "battery-low", limits.battery_low, limits.battery_low + limits.battery_margin):
        found.add("battery-low")
    if "battery-low" in found or short(
        percent, "battery-half", limits.battery_half, limits.battery_half + limits.battery_margin
    ):
        found.add("battery-half")
    if short(site.memory_mb, "memory-low", limits.memory_low, limits.memory_low * _MORE):
        found.add("memory-low")
    if short(site.disk_mb, "disk-low", limits.disk_low, limits.disk_low * _MORE):
        found.add("disk-low")
    return frozenset(found)
