"""What the machine has left: charge, memory, disk, and a link to the hub. A probe that cannot tell says "unknown" and
never raises.

For a demonstration or a test, `probes.json` in the data directory says what the probes are to find instead, such as
`{"battery_percent": 15, "on_mains": false}`; null means unknown, a name that is left out is still probed. It is read at
each look, so a running site sees the change within seconds.
"""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from services.site.link import remembered

Found = TypeVar("Found")

_LOG = logging.getLogger(__name__)
TOLD = "probes.json"
_YES_OR_NO = ("on_mains", "link")
_UPS_WAIT_S = 2.0
_MB = 2**20


@dataclass(frozen=True)
class Site:
    """One look at the machine: `battery_percent` 0 to 100, memory that can still be had and free disk in MiB.

    `link`: whether the hub can be reached, and since when (ms UTC).

    None is "unknown". A machine without a battery, on mains all its life, knows neither charge nor mains.
    """

    battery_percent: float | None = None
    on_mains: bool | None = None
    memory_mb: float | None = None
    disk_mb: float | None = None
    link: bool | None = None
    link_since_ms: int | None = None


def look(own_dir: Path, ups: str = "", data_dir: Path | None = None) -> Site:
    """Asks every probe. `disk_mb` is what is free where less is: in the machine's own directory, or where photographs
    go if that is another. `ups` is a UPS as NUT names it (`ups@localhost`); without one, or while it does not answer,
    the machine's own battery counts."""
    power = _known(lambda: _ups(ups), Site()) if ups else Site()
    if power == Site():
        power = _known(_battery, Site())
    link = remembered(own_dir)
    found = replace(
        power,
        memory_mb=_known(_memory_mb, None),
        disk_mb=_known(lambda: min(map(_disk_mb, {own_dir, data_dir or own_dir})), None),
        link=link.up,
        link_since_ms=link.since_ms,
    )
    return Site(**asdict(found) | told(own_dir))


def read_upsc(output: str) -> Site:
    """The power as NUT's `upsc` prints it, one `name: value` a line.

    `ups.status` holds OL (on line) or OB (on battery); with LB the UPS is about to go, whatever its gauge says, and
    counts as empty. Variables: Network UPS Tools, RFC 9271 section 5.1.
    """
    values = dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)
    status = values.get("ups.status", "").split()
    mains = True if "OL" in status else False if "OB" in status else None
    try:
        percent: float | None = min(100.0, max(0.0, float(values["battery.charge"])))
    except (KeyError, ValueError):
        percent = None
    if "LB" in status and mains is False:
        percent = 0.0
    return Site(battery_percent=percent, on_mains=mains)


def _ups(name: str) -> Site:
    done = subprocess.run(["upsc", name], capture_output=True, text=True, timeout=_UPS_WAIT_S, check=True)
    return read_upsc(done.stdout)


def _battery() -> Site:
    import psutil

    battery = psutil.sensors_battery()
    if battery is None:
        return Site()
    return Site(battery_percent=float(battery.percent), on_mains=battery.power_plugged)


def _memory_mb() -> float:
    import psutil

    return float(psutil.virtual_memory().available) / _MB


def _disk_mb(directory: Path) -> float:
    import psutil

    return float(psutil.disk_usage(str(directory)).free) / _MB


def _known(probe: Callable[[], Found], unknown: Found) -> Found:
    try:
        return probe()
    except Exception as error:  # a driver's fault of any kind must not stop a reading
        _LOG.debug("probe failed", extra={"reason": f"{type(error).__name__}: {error}"})
        return unknown


def told(own_dir: Path) -> dict[str, Any]:
    """What `probes.json` says, by the names of `Site`'s fields; empty without one, or when it is not to be believed."""
    try:
        given = json.loads((own_dir / TOLD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _LOG.warning("probes.json cannot be read", extra={"reason": str(error)})
        return {}
    faults = _faults(given)
    if faults:
        _LOG.warning("probes.json is not used", extra={"reason": "; ".join(faults)})
        return {}
    return dict(given)


def _faults(given: Any) -> list[str]:
    if not isinstance(given, dict):
        return ["not an object"]
    names = {field.name for field in fields(Site)}
    found = [f"{name} is no probe" for name in given if name not in names]
    for name, value in given.items():
        if value is None or name not in names:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if not (isinstance(value, bool) if name in _YES_OR_NO else is_number):
            found.append(f"{name} cannot be {value!r}")
    return found
