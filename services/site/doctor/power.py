"""Will the machine still be on in an hour?"""

from __future__ import annotations

from collections.abc import Iterator

from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.site.probes import TOLD, told


def power(site: Runtime) -> Iterator[Finding]:
    """Charge and mains."""
    found, settings = site.watch.site(), site.settings
    if settings.ups and found.on_mains is None:
        yield warning(f"the UPS {settings.ups} does not answer", f"try `upsc {settings.ups}`; is its cable in?")
    charge = found.battery_percent
    if found.on_mains is False and charge is not None and charge < settings.battery_low_percent:
        yield broken(
            f"the battery is at {charge:.0f} %: only urgent photographs are read", "connect it to mains or panel"
        )
    elif found.on_mains is False:
        yield warning(
            f"on battery, {'charge unknown' if charge is None else f'{charge:.0f} %'}", "connect it to mains or panel"
        )
    elif charge is None:
        yield fine("on mains, as far as this machine knows")
    else:
        yield fine(f"on mains, battery at {charge:.0f} %")


def memory(site: Runtime) -> Iterator[Finding]:
    """Memory that can still be had."""
    free = site.watch.site().memory_mb
    if free is None:
        yield note("nobody knows how much memory is left")
    elif free < site.settings.low_memory_mb:
        yield warning(f"{free:.0f} MB of memory are left: the smallest model reads", "stop what else runs here")
    else:
        yield fine(f"{free:.0f} MB of memory can be had")


def pretended(site: Runtime) -> Iterator[Finding]:
    """What the probes are told to find, for a demonstration."""
    if told(site.settings.own_dir):
        path = site.settings.own_dir / TOLD
        yield warning(
            f"{path} says what battery, memory and disk shall be: the real ones are not looked at", f"rm {path}"
        )
