"""The models that a site has fetched, which of them is in use, and what comes next when that one fails.

<data>/models/<programme>/<version>/<programme>/…   each version is a `models` folder of its own with one programme
<data>/models/<programme>/current                   {"version": …, "withdrawn": […]}, replaced in one step
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from services.durable import flush_names, flush_tree, write_durably
from services.updates.releases import BadRelease, order

_LOG = logging.getLogger(__name__)
MODELS = Path(__file__).resolve().parents[2] / "models"
"""Those that came with this release of Jicho: no update touches them, so that they are always there to go back to."""
_CURRENT = "current"
STAGED = ".staged-"
_KEPT = 2  # the version in use and the one before it
_NONE: tuple[int, ...] = (-1,)


@dataclass(frozen=True)
class Current:
    """The fetched version in use, empty while it is the shipped one, and the versions that the hub has withdrawn."""

    version: str = ""
    withdrawn: frozenset[str] = frozenset()


def current(models: Path, programme: str) -> Current:
    """What is in use; the shipped version where nothing was fetched or the pointer cannot be read."""
    try:
        kept = json.loads((models / programme / _CURRENT).read_text(encoding="utf-8"))
        version = str(kept["version"])
        if version:
            order(version)
        return Current(version, frozenset(map(str, kept["withdrawn"])))
    except FileNotFoundError:
        return Current()
    except (OSError, ValueError, KeyError, TypeError, BadRelease) as error:
        _LOG.error("the pointer to the models cannot be read", extra={"programme": programme, "reason": str(error)})
        return Current()


def folders(models: Path | None, programme: str, shipped: Path) -> list[Path]:
    """The `models` folders to load a programme from, best first: newest version first, but none above the one in use
    (it failed) and no withdrawn one. The shipped folder is always among them, last if it was withdrawn."""
    if models is None or not (models / programme).is_dir():
        return [shipped]
    pointer = current(models, programme)
    usable = [version for version in versions(models, programme) if version not in pointer.withdrawn]
    highest = order(pointer.version) if pointer.version else _NONE
    ranked = [(order(version), models / programme / version) for version in usable if order(version) <= highest]
    own = shipped_version(shipped, programme)
    ranked.append((_NONE if not own or own in pointer.withdrawn else order(own), shipped))
    # Of two equal versions the shipped one, which no update can have damaged.
    return [folder for _, folder in sorted(ranked, key=lambda each: (each[0], each[1] == shipped), reverse=True)]


def versions(models: Path, programme: str) -> list[str]:
    """The fetched versions that lie here whole, oldest first."""
    try:
        names = [entry.name for entry in os.scandir(models / programme) if entry.is_dir()]
    except OSError:
        return []
    return sorted((name for name in names if _is_version(name)), key=order)


def floor(models: Path, programme: str, shipped: Path, withdrawn: Iterable[str] = ()) -> str:
    """The version that an update must be above: the newest usable one of those in use or shipped; or empty."""
    here = {current(models, programme).version} & set(versions(models, programme))
    return max((here | {shipped_version(shipped, programme)}) - {"", *withdrawn}, key=order, default="")


def shipped_version(shipped: Path, programme: str) -> str:
    """The version of a programme that came with this release of Jicho; empty where it has none that can be read."""
    path = shipped / programme / "manifest.json"
    try:
        return _version_in(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError, BadRelease):
        return ""


def staging(models: Path, programme: str, version: str) -> Path:
    """Where a version is put together; a cut leaves it there and the next attempt goes on with it."""
    return models / programme / f"{STAGED}{version}"


def put(models: Path, programme: str, version: str) -> None:
    """Makes what was staged a version, in the place of a damaged one; it is not in use yet. Raises OSError."""
    place = models / programme
    flush_tree(staging(models, programme, version))
    final = place / version
    if final.exists():
        shutil.rmtree(final)  # not in use: what is in use is whole and never put again
    os.rename(staging(models, programme, version), final)
    flush_names(place)


def use(models: Path, programme: str, version: str, withdrawn: Iterable[str]) -> None:
    """Has workers load this version (empty: the shipped one) before their next job. Raises OSError."""
    content = json.dumps({"version": version, "withdrawn": sorted(withdrawn)})
    write_durably(models / programme / _CURRENT, content.encode(), mode=0o644)


def roll_back(models: Path, programme: str, failed: Path) -> None:
    """Goes back from the version in the `models` folder that failed, if it still is the one in use. Raises OSError."""
    pointer = current(models, programme)
    if not pointer.version or failed != models / programme / pointer.version:
        return
    lower = [
        version
        for version in versions(models, programme)
        if order(version) < order(pointer.version) and version not in pointer.withdrawn
    ]
    _LOG.error("rolled back", extra={"programme": programme, "from": pointer.version, "to": lower[-1:] or "shipped"})
    use(models, programme, lower[-1] if lower else "", pointer.withdrawn)


def withdraw(models: Path, programme: str, withdrawn: frozenset[str]) -> None:
    """Takes withdrawn versions out of use; the next lower one that is here serves. Raises OSError."""
    pointer = current(models, programme)
    if pointer.withdrawn == withdrawn:
        return
    usable = [
        version
        for version in versions(models, programme)
        if version not in withdrawn and pointer.version and order(version) <= order(pointer.version)
    ]
    use(models, programme, usable[-1] if usable else "", withdrawn)


def prune(models: Path, programme: str) -> None:
    """Deletes what is neither in use nor the version before it, and what was staged for another version."""
    pointer = current(models, programme)
    for name in os.listdir(models / programme):
        if name.startswith(STAGED):
            shutil.rmtree(models / programme / name, ignore_errors=True)
    usable = [each for each in versions(models, programme) if each not in pointer.withdrawn]
    kept = [each for each in usable if pointer.version and order(each) <= order(pointer.version)][-_KEPT:]
    for version in versions(models, programme):
        if version not in kept:
            shutil.rmtree(models / programme / version, ignore_errors=True)


@lru_cache(maxsize=8)
def _version_in(path: Path, _changed: int) -> str:
    found = str(json.loads(path.read_text(encoding="utf-8"))["version"])
    order(found)
    return found


def _is_version(name: str) -> bool:
    try:
        order(name)
    except BadRelease:
        return False
    return True
