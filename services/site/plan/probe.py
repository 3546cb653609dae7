"""Measures this machine, step by step: the models that it would run, memory, disk, battery and link.

What it finds replaces answers and estimates. Nothing personal is read, and what is written to time the disk is deleted.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from services.site.link import reachable
from services.site.probes import look

_FLUSHES, _FLUSHED_BYTES = 21, 4096
_TRIES = 3
_WAIT_S = 3.0
MB = 1_000_000


class NotMeasured(Exception):
    """What was to be measured could not be. The text says why."""


@dataclass(frozen=True)
class TierTime:
    """Of one tier here: median ms from the bytes of a photograph to its outcome, and MB of the process that did it."""

    milliseconds: float
    memory_mb: float


@dataclass(frozen=True)
class Place:
    """Somebody at the other end of the link."""

    name: str
    host: str
    port: int


@dataclass(frozen=True)
class Measured:
    """What this machine is and does. Memory and disk in MB of 1000² bytes, None where nobody can tell; `links` has the
    median ms to connect by name, None for what did not answer; `providers` are ONNX Runtime's own names."""

    system: str = ""
    processor: str = ""
    cores: int = 0
    load: float = 0
    memory_mb: float | None = None
    memory_free_mb: float | None = None
    disk_free_mb: float | None = None
    battery_percent: float | None = None
    battery_hours: float | None = None
    on_mains: bool | None = None
    flush_ms: float | None = None
    flush_worst_ms: float | None = None
    providers: tuple[str, ...] = ()
    tiers: Mapping[str, TierTime] = field(default_factory=dict)
    links: Mapping[str, float | None] = field(default_factory=dict)
    hub_kilobytes_a_second: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> Measured:
        """Raises TypeError, ValueError or KeyError for what `as_json` did not make."""
        tiers = {name: TierTime(**row) for name, row in kept["tiers"].items()}
        return Measured(**dict(kept) | {"tiers": tiers, "providers": tuple(kept["providers"])})


@dataclass(frozen=True)
class Step:
    """One thing that was done: what, what came of it in words, and all that is known by then."""

    title: str
    found: str
    measured: Measured


ReadTier = Callable[[str], TierTime]
Throughput = Callable[[], tuple[int, float]]
"""Fetches something from the hub: bytes and seconds. Raises NotMeasured."""


def probe(
    data_dir: Path,
    ups: str,
    *,
    tiers: Sequence[str],
    read_tier: ReadTier,
    places: Sequence[Place],
    throughput: Throughput | None = None,
) -> Iterator[Step]:
    """Every step as it is done; the last one's `measured` is all. A step that fails says so, and the next is done."""
    found, said = _machine()
    yield Step("machine", said, found)
    found, said = _room(found, data_dir, ups)
    yield Step("memory and disk", said, found)
    found, said = _power(found, data_dir, ups)
    yield Step("power", said, found)
    found, said = _flushing(found, data_dir)
    yield Step("disk flush", said, found)
    for tier in tiers:
        found, said = _reading(found, tier, read_tier)
        yield Step(f"model {tier}", said, found)
    for place in places:
        found, said = _reaching(found, place)
        yield Step(f"link to {place.name}", said, found)
    if not places:
        yield Step("link", "not measured: no carrier and no hub is configured here, so there is nobody to reach", found)
    elif throughput is not None:
        found, said = _fetching(found, throughput)
        yield Step("hub throughput", said, found)


def _machine() -> tuple[Measured, str]:
    import onnxruntime
    import psutil

    found = Measured(
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        load=round(psutil.getloadavg()[0], 2),
        providers=tuple(onnxruntime.get_available_providers()),
    )
    runs_on = ", ".join(found.providers)
    busy = f"; busy: load {found.load}, so times are longer than at rest" if found.load > 0.7 * found.cores else ""
    return found, f"{found.processor or found.system}, {found.cores} cores; ONNX Runtime offers {runs_on}{busy}"


def _processor() -> str:
    """Its name, as Linux tells it: a board's own, or the processor's."""
    try:
        return Path("/proc/device-tree/model").read_text(encoding="utf-8").strip("\0\n ")
    except OSError:
        pass
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _room(found: Measured, data_dir: Path, ups: str) -> tuple[Measured, str]:
    import psutil

    site = look(_existing(data_dir), ups)
    total = psutil.virtual_memory().total / MB
    free, disk = (None if each is None else each * 2**20 / MB for each in (site.memory_mb, site.disk_mb))
    found = replace(found, memory_mb=total, memory_free_mb=free, disk_free_mb=disk)
    return found, f"{total / 1000:.1f} GB of memory, {_gb(free)} of it free; {_gb(disk)} free on the disk"


def _gb(megabytes: float | None) -> str:
    return "unknown" if megabytes is None else f"{megabytes / 1000:.1f} GB"


def _power(found: Measured, data_dir: Path, ups: str) -> tuple[Measured, str]:
    import psutil

    site = look(_existing(data_dir), ups)
    battery = psutil.sensors_battery()
    hours = None
    if battery is not None and not battery.power_plugged and battery.secsleft > 0:
        hours = round(battery.secsleft / 3600, 1)
    found = replace(found, battery_percent=site.battery_percent, on_mains=site.on_mains, battery_hours=hours)
    if site.battery_percent is None and site.on_mains is None:
        return found, "no battery or UPS answers: counted as always on mains"
    charge = "charge unknown" if site.battery_percent is None else f"{site.battery_percent:.0f} %"
    left = f", {hours:g} hours left as the machine counts" if hours is not None else ""
    return found, f"{'on mains' if site.on_mains else 'on battery'}, {charge}{left}"


def _flushing(found: Measured, data_dir: Path) -> tuple[Measured, str]:
    """How long it takes until 4 kB are safe from a power cut: what every answered callback waits for."""
    content, times = os.urandom(_FLUSHED_BYTES), []
    try:
        with tempfile.TemporaryFile(dir=_existing(data_dir)) as file:
            for _ in range(_FLUSHES):
                file.write(content)
                file.flush()
                began = time.perf_counter()
                os.fsync(file.fileno())
                times.append(1000 * (time.perf_counter() - began))
    except OSError as error:
        return found, f"not measured: {error.strerror or error}"
    middle, worst = statistics.median(times), max(times)
    found = replace(found, flush_ms=round(middle, 2), flush_worst_ms=round(worst, 2))
    return found, f"{middle:.1f} ms in the median, {worst:.1f} ms at worst of {_FLUSHES}"


def _reading(found: Measured, tier: str, read_tier: ReadTier) -> tuple[Measured, str]:
    try:
        time_of = read_tier(tier)
    except NotMeasured as problem:
        return found, f"not measured: {problem}"
    found = replace(found, tiers=dict(found.tiers) | {tier: time_of})
    return found, f"{time_of.milliseconds:.0f} ms a photograph in the median, {time_of.memory_mb:.0f} MB"


def _reaching(found: Measured, place: Place) -> tuple[Measured, str]:
    times: list[float] = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        if reachable(place.host, place.port, wait_s=_WAIT_S):
            times.append(1000 * (time.perf_counter() - began))
        elif not times:
            break  # whoever does not answer at once is not waited for three times
    took = round(statistics.median(times), 1) if times else None
    found = replace(found, links=dict(found.links) | {place.name: took})
    if took is None:
        return found, f"{place.host}:{place.port} does not answer within {_WAIT_S:.0f} s"
    return found, f"{place.host}:{place.port} takes a connection in {took:.0f} ms in the median, its name looked up"


def _fetching(found: Measured, throughput: Throughput) -> tuple[Measured, str]:
    try:
        size, seconds = throughput()
    except NotMeasured as problem:
        return found, f"not measured: {problem}"
    rate = size / 1000 / max(seconds, 1e-6)
    found = replace(found, hub_kilobytes_a_second=round(rate, 1))
    return found, f"{size / 1000:.0f} kB in {seconds:.2f} s: {rate:.0f} kB a second, {rate * 8 / 1000:.2f} Mbit/s, down"


def _existing(directory: Path) -> Path:
    """The directory, or the nearest above it that is there: the same disk."""
    directory = directory.absolute()
    return next((each for each in (directory, *directory.parents) if each.is_dir()), Path("/"))
