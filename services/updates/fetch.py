"""The site's side of updates: looks at what the hub signed, fetches what is newer, tries it and has it used.

A look works in steps of some seconds, so that the process that syncs can put results before models at any time; what
came until then stays on disk, and the next step goes on at that byte.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection
from tuf.api.exceptions import DownloadError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import Updater, UpdaterConfig

from services.durable import flush_tree
from services.ledger.budget import may_spend
from services.runtime import Runtime
from services.store.clock import HOUR_MS, now_ms
from services.sync.client import HubClient, HubError, hub_client
from services.sync.marks import mark, raise_mark, reset_mark
from services.updates import notes
from services.updates.downloads import METADATA, TARGETS, HubFetcher, Streams
from services.updates.packing import BadPacking, unpack
from services.updates.places import UP_TO_DATE, Place, place_of, withdraw
from services.updates.releases import BadRelease, File, Release, Way, read_offer
from services.updates.trial import TrialFailed
from services.updates.trust import folder_of, trusted_root

_LOG = logging.getLogger(__name__)
_SLICE_S = 5.0
_LIMITS = UpdaterConfig(
    max_root_rotations=64,
    root_max_length=2**16,
    timestamp_max_length=2**14,
    snapshot_max_length=2**14,
    targets_max_length=2**20,
)
_CHECKED, _HINTED = "updates-checked", "updates-hinted"
_SHORTAGES = ("battery-low", "battery-half", "memory-low", "disk-low")
NO_ROOT = "no root of trust: enrol again, or `python app.py models trust FILE`"


class Held(Exception):
    """It is not the time for updates; the text says what is short."""


class Underway(Exception):
    """Another process of this site is at it."""


class _SliceOver(Exception):
    """Others' turn; nothing is lost."""


@dataclass
class _Look:
    steps: Iterator[None]
    client: Streams


_look: _Look | None = None


def step(site: Runtime, client: HubClient) -> bool:
    """Does some seconds' work on updates, if it is time for it; True if there is more to do now. Raises HubError when
    the link broke; everything else is logged and kept for `models status`."""
    global _look
    if _look is not None and _look.client is not client:
        _look = None
    if _look is None:
        if not _due(site):
            return False
        _look = _Look(look(site, client, slice_s=_SLICE_S), client)
    try:
        next(_look.steps)
        return True
    except StopIteration:
        _look = None
    except HubError:
        _look = None
        raise
    except Underway:
        _look = None
    return False


def look_now(site: Runtime, *, anyway: bool = False) -> None:
    """Does all of it, also fetches what was refused before; `anyway` even if power or budget say no.

    Raises NotEnrolled, HubError, Underway; what else goes wrong stands in `notes`."""
    with hub_client(site) as client:
        for _ in look(site, client, by_hand=True, anyway=anyway):
            pass


def hinted(tx: Connection, _content: Mapping[str, Any]) -> None:
    """The hub says that something was published: the next step looks."""
    raise_mark(tx, _HINTED, now_ms())


def held(site: Runtime, purpose: str) -> str:
    """What keeps updates from the link now; empty if nothing does."""
    short = site.watch.strain()
    for shortage in _SHORTAGES:
        if shortage in short:
            return shortage
    return "" if may_spend(site, "voices" if purpose == "voices" else "models") else "budget"


def look(
    site: Runtime,
    client: Streams,
    *,
    slice_s: float | None = None,
    by_hand: bool = False,
    anyway: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """One look in steps of `slice_s` seconds or, without one, in as few as there are. Raises HubError, Underway."""
    until = [clock() + slice_s if slice_s else float("inf")]

    def go_on(purpose: str) -> None:
        reason = "" if anyway else held(site, purpose)
        if reason:
            raise Held(reason)
        if clock() >= until[0]:
            raise _SliceOver

    data_dir = site.settings.data_dir
    with _alone(data_dir):
        try:
            go_on("models")
            for _ in _Looking(site, client, go_on, by_hand=by_hand).steps():
                yield
                until[0] = clock() + slice_s if slice_s else float("inf")
            notes.note_problem(data_dir, "")
        except Held as reason:
            notes.note_problem(data_dir, f"waits: {reason}")
            return  # not marked as done: it goes on as soon as it may
        except (RepositoryError, DownloadError, BadRelease, OSError) as error:
            _raise_if_link_broke(error)
            problem = f"{type(error).__name__}: {error}"
            if isinstance(error, ExpiredMetadataError):
                problem += f", by the clock of this machine: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
            _LOG.error("updates", extra={"reason": problem})
            notes.note_problem(data_dir, problem)
        with site.db.write() as tx:
            reset_mark(tx, _CHECKED, now_ms())


class _Looking:
    def __init__(self, site: Runtime, client: Streams, go_on: Callable[[str], None], *, by_hand: bool) -> None:
        self._site, self._by_hand = site, by_hand
        self._data_dir = site.settings.data_dir
        self._folder = folder_of(self._data_dir)
        self._fetcher = HubFetcher(client, self._folder / "partial", go_on)
        self._whole = True

    def steps(self) -> Iterator[None]:
        root = trusted_root(self._data_dir)
        if root is None:
            raise BadRelease(NO_ROOT)
        metadata = self._folder / "metadata"
        metadata.mkdir(parents=True, exist_ok=True)
        updater = Updater(str(metadata), METADATA, str(self._folder), TARGETS, self._fetcher, _LIMITS, bootstrap=root)
        updater.refresh()
        # Updater renames without flushing: after a power cut an empty file would forget what was seen, and with it the
        # protection against older lists.
        flush_tree(metadata)
        # What refresh has just verified and written; Updater itself tells only about targets whose names one knows.
        offer = read_offer(Metadata[Targets].from_file(str(metadata / "targets.json")).signed)
        withdraw(self._site, offer.withdrawn)
        for subject, release in offer.releases.items():
            place = place_of(self._site, release, offer.withdrawn.get(subject, frozenset()))
            reason = place.unwanted()
            if reason:
                self._note(release, "up-to-date" if reason == UP_TO_DATE else "not-wanted", reason)
            elif not self._by_hand and notes.refused(self._data_dir, subject, release.version):
                continue
            else:
                yield from self._bring(updater, place, release)
        if self._whole:
            shutil.rmtree(self._folder / "partial", ignore_errors=True)  # left of what is no longer offered

    def _bring(self, updater: Updater, place: Place, release: Release) -> Iterator[None]:
        self._note(release, "fetching")
        try:
            yield from self._gather(updater, place, release)
            yield
            place.install()
            self._note(release, "installed")
            _LOG.info("update installed", extra={"subject": release.subject, "version": release.version})
        except Held as reason:
            self._note(release, "held", str(reason))
            raise
        except TrialFailed as error:
            _LOG.error("update refused", extra={"subject": release.subject, "reason": str(error)})
            self._note(release, "refused" if error.permanent else "failed", str(error))
        except (RepositoryError, DownloadError, BadRelease, OSError) as error:
            _raise_if_link_broke(error)
            problem = f"{type(error).__name__}: {error}"
            self._whole = False
            _LOG.error("update failed", extra={"subject": release.subject, "reason": problem})
            self._note(release, "failed", problem)

    def _gather(self, updater: Updater, place: Place, release: Release) -> Iterator[None]:
        """Puts every file of a release into its staging folder."""
        here = {_sha256(path): path for path in place.here()}
        for file in release.files:
            target = place.staging / file.path
            if target.is_file() and _sha256(target) == file.sha256:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            if file.sha256 in here:
                shutil.copyfile(here[file.sha256], part)
            else:
                yield from self._fetch(updater, file, here, part)
            os.replace(part, target)

    def _fetch(self, updater: Updater, file: File, here: Mapping[str, Path], part: Path) -> Iterator[None]:
        """Fetches a file by the shortest way; if a patch does not give what was signed, whole."""
        for bases in (here, {}):
            way = file.way(bases)
            while True:
                try:
                    self._download(updater, way, file, part, here.get(way.base))
                    break
                except _SliceOver:
                    yield
            if _sha256(part) == file.sha256:
                return
            _LOG.warning("a patch did not give the file", extra={"file": file.path, "target": way.target})
            if not way.base:
                break
        raise BadRelease(f"{file.path}: what was fetched is not what was signed")

    def _download(self, updater: Updater, way: Way, file: File, part: Path, base: Path | None) -> None:
        info = updater.get_targetinfo(way.target)
        if info is None:
            raise BadRelease(f"{way.target} is not in the list")
        if not way.packed:
            updater.download_target(info, str(part))
            return
        packed = self._folder / "packed"
        updater.download_target(info, str(packed))
        try:
            unpack(packed, part, file.bytes, base.read_bytes() if base else None)
        except BadPacking as error:
            _LOG.warning("not unpacked", extra={"reason": str(error)})
            part.write_bytes(b"")
        packed.unlink()

    def _note(self, release: Release, state: notes.State, reason: str = "") -> None:
        notes.note(self._data_dir, release.subject, release.version, state, reason)


def _due(site: Runtime) -> bool:
    with site.db.read() as tx:
        checked, hint = mark(tx, _CHECKED), mark(tx, _HINTED)
    hours = site.settings.updates_hours
    aged = not 0 <= now_ms() - checked < hours * HOUR_MS  # below 0: the clock went back
    return hint > checked or (hours > 0 and aged)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    folder_of(data_dir).mkdir(parents=True, exist_ok=True)
    with open(folder_of(data_dir) / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Underway("another process of this site is fetching: see `python app.py models status`") from None
        yield


def _raise_if_link_broke(error: Exception) -> None:
    """What the hub's client said of a broken link goes to whoever decides when to try again."""
    if isinstance(error.__cause__, HubError) and not error.__cause__.permanent:
        raise error.__cause__


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
