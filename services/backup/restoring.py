"""Puts a copy back on a machine that has no store yet: checked, opened with the key from paper, and settled before it
may run. The store comes last: until then the machine has none, and the same command can simply be given again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import zstandard

from services.backup import snapshot
from services.backup.errors import BackupError, medium
from services.backup.place import Place
from services.backup.recovery_key import identity, keep_public_half, public_half
from services.backup.sealed import Unsealed, Writable, fingerprint, open_sealed
from services.backup.shelf import Copy, copies, read_index
from services.durable import flush_names, write_durably

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

_ROOM = 64 * 2**20
SETTINGS = "restored.env"


@dataclass(frozen=True)
class Restored:
    """What was put back: from which copy, how many files, and what `settle` found."""

    copy: Copy
    files: int
    settled: Any


def find(path: Path) -> Copy:
    """The copy that a path means: an index, or the newest in a folder or on a medium. Raises BackupError."""
    with medium(path):
        if path.is_file():
            return read_index(path)
        folders = [path, *sorted(path.glob("jicho-*"))]
        holding = [folder for folder in folders if any(folder.glob("[0-9]*.json"))]
    if not holding:
        raise BackupError(f"there is no copy in {path}")
    if len(holding) > 1:
        names = ", ".join(str(folder) for folder in holding)
        raise BackupError(f"{path} holds the copies of several places: name one of {names}")
    return copies(holding[0])[-1]


def check(copy: Copy, written_key: str) -> dict[str, Any]:
    """Reads a copy whole and opens its manifest, which it returns. Raises BackupError."""
    key = identity(written_key)
    with medium(copy.folder):
        if faults := copy.faults():
            raise BackupError(
                f"copy {copy.number} is damaged: {'; '.join(faults[:3])}. Nothing was changed; try an older one: "
                f"`python app.py backups {copy.folder}` lists them"
            )
        return _manifest(copy, key)


def restore(
    copy: Copy, written_key: str, place: Place, *, bring_up: Callable[[str], Any], settings: Path | None = None
) -> Restored:
    """Puts a copy back into `place`, which must have no store. `bring_up` gets the address of the restored store before
    it is where the service looks for it: it migrates and settles it. Raises BackupError.

    Settings that came with the copy are written to `settings` (default: `restored.env` beside the store) for whoever
    sets the machine up: nothing takes effect by itself.
    """
    manifest = check(copy, written_key)
    key = identity(written_key)
    _refuse(manifest, place)
    with medium(place.directory):
        place.directory.mkdir(parents=True, exist_ok=True)
        needed = sum(int(each["bytes"]) for each in manifest["files"].values()) + int(manifest["store"]["bytes"])
        if shutil.disk_usage(place.directory).free < needed + _ROOM:
            raise BackupError(f"{place.directory} has no room for {needed >> 20} MB: use a larger disk")
        for name, about in manifest["files"].items():
            _file(copy, key, about, _inside(place.directory, name))
        if manifest["keys"] is not None and place.keys is not None:
            place.keys.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(place.keys, manifest["keys"].encode(), mode=0o600)
        lines = "".join(f"{name}={_quoted(value)}\n" for name, value in manifest["settings"].items())
        write_durably(settings or place.directory / SETTINGS, lines.encode(), mode=0o600)
        keep_public_half(place.directory, public_half(written_key))
        settled = _store(copy, key, manifest["store"], place, bring_up)
    return Restored(copy, len(manifest["files"]), settled)


def _refuse(manifest: dict[str, Any], place: Place) -> None:
    if manifest["role"] != place.role:
        raise BackupError(f"this is the copy of a {manifest['role']}" + ("" if place.role == "hub" else ": add --hub"))
    is_sqlite = place.store_url.startswith("sqlite")
    if (manifest["store"]["kind"] == "sqlite") != is_sqlite:
        name = "JICHO_HUB_DATABASE_URL" if place.role == "hub" else "DATABASE_URL"
        what = f"unset {name}" if is_sqlite is False else f"set {name} to an empty database"
        raise BackupError(f"this is the copy of a store in {manifest['store']['kind']}: {what}, and try again")
    if is_sqlite and place.store_file.exists() and not snapshot.is_empty(place.store_url):
        raise BackupError(
            f"{place.directory} holds a store already: stop the service and move the folder away, or choose another. "
            "Nothing was changed"
        )
    if not is_sqlite and not snapshot.is_empty(place.store_url):
        raise BackupError("the database holds tables already: name an empty one. Nothing was changed")
    if manifest["keys"] is None or place.keys is None or not place.keys.is_file():
        return
    if place.keys.read_text(encoding="utf-8") != manifest["keys"]:
        raise BackupError(f"{place.keys} holds the keys of another store: move the file away. Nothing was changed")


def _store(copy: Copy, key: Identity, about: dict[str, Any], place: Place, bring_up: Callable[[str], Any]) -> Any:
    taken = place.directory / "backup" / "restoring.db"
    for path in (taken, *taken.parent.glob(f"{taken.name}-*")):
        path.unlink(missing_ok=True)
    taken.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with taken.open("wb") as file:
        taken.chmod(0o600)
        unpacked = zstandard.ZstdDecompressor().stream_writer(file, closefd=False)
        _open(copy, copy.store, unpacked, key)
        unpacked.close()  # type: ignore[no-untyped-call]
        file.flush()
        os.fsync(file.fileno())
    if fingerprint(taken) != (about["bytes"], about["sha256"]):
        raise BackupError(f"copy {copy.number} is damaged: its store is not what it was")
    if about["kind"] != "sqlite":
        snapshot.put_back(taken, place.store_url)
        taken.unlink()
        return bring_up(place.store_url)
    settled = bring_up(f"sqlite:///{taken}")
    for path in place.directory.glob(f"{place.store_file.name}-*"):  # of the empty store that some command made
        path.unlink()
    os.replace(taken, place.store_file)
    flush_names(place.directory)
    for path in taken.parent.glob(f"{taken.name}*"):
        path.unlink()
    return settled


def _file(copy: Copy, key: Identity, about: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".writing-{target.name}")
    with part.open("wb") as file:
        part.chmod(0o600)
        found = _open(copy, about["object"], file, key)
        file.flush()
        os.fsync(file.fileno())
    if found != (about["bytes"], about["sha256"]):
        part.unlink()
        raise BackupError(f"copy {copy.number} is damaged: {about['object']} is not what it was")
    os.replace(part, target)
    flush_names(target.parent)


def _manifest(copy: Copy, key: Identity) -> dict[str, Any]:
    from io import BytesIO

    content = BytesIO()
    _open(copy, copy.manifest, content, key)
    found: dict[str, Any] = json.loads(content.getvalue())
    return found


def _open(copy: Copy, name: str, target: Writable, key: Identity) -> tuple[int, str]:
    try:
        return open_sealed(copy.folder / name, target, key)
    except Unsealed as error:
        raise BackupError(f"copy {copy.number} does not open with this recovery key: {error}") from None


def _inside(directory: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise BackupError(f"the copy names a file outside its folder: {name!r}")
    return directory.joinpath(*parts)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
