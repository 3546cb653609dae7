"""Makes a copy: first the store as it is at one moment, then every file beside it, then the index that makes it count.

A photograph that is replaced meanwhile is looked for again, so that whatever the store names is in the copy.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from services import VERSION
from services.backup import snapshot
from services.backup.errors import BackupError, medium
from services.backup.place import Place, settings_given
from services.backup.recovery_key import recipient
from services.backup.sealed import fingerprint, write_sealed
from services.backup.shelf import OBJECTS, Copy, copies, rotate, write_index
from services.durable import write_durably
from services.store.clock import now_ms
from services.store.database import Database

if TYPE_CHECKING:
    from pyrage.x25519 import Recipient

_LOG = logging.getLogger(__name__)
_LAST = Path("backup", "last.json")
_LOOKS = 3
_LEVEL = 3
README = """\
Copies of a Jicho clinic, sealed: nobody reads them without the recovery key, which lies on paper.

On a new machine with Jicho, and with the paper at hand:

    python app.py restore FOLDER       (this one)

It asks for the key, checks everything and goes on where the newest copy was made. Do not change or delete single files
here; `python app.py backups` lists and checks them.
"""


@dataclass(frozen=True)
class Made:
    """A copy that was made: how many of its files were new, and the bytes that were written for it."""

    copy: Copy
    new_files: int
    bytes_written: int
    rotated: int


def shelf_name(public: str) -> str:
    """The folder of everything that is sealed to one recovery key."""
    return f"jicho-{hashlib.sha256(public.encode()).hexdigest()[:8]}"


def make(place: Place, target: Path, *, keep: int) -> Made:
    """Makes a copy of `place` on the medium mounted at `target`, and deletes all but the newest `keep`. Raises
    BackupError, after which older copies are as they were."""
    public, seal_to = recipient(place.directory)
    folder = target / shelf_name(public)
    try:
        with _alone(place), medium(target):
            if not target.is_dir():
                raise BackupError(f"{target} is not there: put the stick in, or name the folder where it is mounted")
            folder.mkdir(exist_ok=True)
            made = _Making(place, folder, public, seal_to).run(keep)
    except BackupError as error:
        failed(place, str(error))
        raise
    done = {"at_ms": made.copy.made_at_ms, "folder": str(folder), "number": made.copy.number, "problem": ""}
    _note(place, done | {"bytes": sum(size for size, _ in made.copy.objects.values())})
    return made


def failed(place: Place, problem: str) -> None:
    """Notes that no copy could be made, for whoever asks how the site is."""
    _note(place, {"failed_at_ms": now_ms(), "problem": problem})


def last(place: Place) -> dict[str, Any]:
    """What became of the last copies: `at_ms`, `folder`, `number` and `bytes` of the last good one, `problem` and
    `failed_at_ms` of a failed one after it. Empty before the first."""
    try:
        kept = json.loads((place.directory / _LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _note(place: Place, values: dict[str, Any]) -> None:
    try:
        write_durably(place.directory / _LAST, json.dumps(last(place) | values).encode())
    except OSError as error:  # a full disk must not hide what happened to the copy
        _LOG.warning("backup not noted", extra={"reason": str(error)})


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    path = place.directory / "backup" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("another copy is being made: wait until it is done") from None
        yield


class _Making:
    def __init__(self, place: Place, folder: Path, public: str, seal_to: Recipient) -> None:
        self._place, self._folder, self._seal_to = place, folder, seal_to
        # The public half is on no medium: whoever holds one cannot even tell which photographs it has.
        self._naming = hashlib.sha256(b"jicho names " + public.encode()).digest()
        self._objects: dict[str, tuple[int, str]] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._known: dict[str, tuple[int, str]] = {}
        self._new = self._written = 0

    def run(self, keep: int) -> Made:
        before = copies(self._folder)
        for each in before:
            self._known |= each.objects
        copy = Copy(
            self._folder, max((each.number for each in before), default=0) + 1, now_ms(), VERSION, self._objects
        )
        store = self._store(copy)
        self._beside()
        manifest = {
            "role": self._place.role,
            "made_at_ms": copy.made_at_ms,
            "version": copy.version,
            "store": store,
            "files": self._files,
            "settings": settings_given(),
            "keys": self._keys(),
        }
        self._seal(copy.manifest, BytesIO(json.dumps(manifest).encode()))
        readme = self._folder / "README.txt"
        if not readme.exists():
            readme.write_text(README, encoding="utf-8")
        write_index(copy)
        rotated = rotate(self._folder, keep)
        return Made(copy, self._new, self._written, rotated)

    def _store(self, copy: Copy) -> dict[str, Any]:
        db = Database(self._place.store_url)
        taken = self._place.directory / "backup" / "snapshot"
        taken.unlink(missing_ok=True)
        try:
            snapshot.take(db, self._place.store_url, taken)
            size, sha256 = fingerprint(taken)
            with taken.open("rb") as file, zstandard.ZstdCompressor(_LEVEL).stream_reader(file) as packed:
                self._seal(copy.store, packed)
        finally:
            taken.unlink(missing_ok=True)
            db.close()
        return {"kind": "sqlite" if db.is_sqlite else "postgresql", "bytes": size, "sha256": sha256}

    def _beside(self) -> None:
        for _ in range(_LOOKS):
            vanished = False
            for name, path in self._place.files():
                if name in self._files:
                    continue
                try:
                    file = path.open("rb")
                except FileNotFoundError:  # read, and its clean copy put in its place, since the folder was listed
                    vanished = True
                    continue
                with file:
                    self._files[name] = self._file(file)
            if not vanished:
                return

    def _file(self, file: BufferedReader) -> dict[str, Any]:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
        file.seek(0)
        name = hmac.digest(self._naming, sha256.encode(), hashlib.sha256).hex()[:32]
        where = f"{OBJECTS}/{name[:2]}/{name}.age"
        path, known = self._folder / where, self._known.get(where)
        if where in self._objects:
            pass  # two files that hold the same
        elif not path.is_file() or (known is not None and path.stat().st_size != known[0]):
            self._seal(where, _First(file, size))
        else:
            # One that no copy names is whole, too: a copy that was interrupted had read it back.
            self._objects[where] = known or fingerprint(path)
        return {"object": where, "bytes": size, "sha256": sha256}

    def _seal(self, where: str, content: Any) -> None:
        self._objects[where] = write_sealed(self._folder / where, content, self._seal_to)
        self._new += 1
        self._written += self._objects[where][0]

    def _keys(self) -> str | None:
        keys = self._place.keys
        if keys is None or not keys.is_file():
            return None
        return keys.read_text(encoding="utf-8")


class _First:
    """The first bytes of a file: a log that grows while it is copied is copied as it was."""

    def __init__(self, file: BufferedReader, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block
