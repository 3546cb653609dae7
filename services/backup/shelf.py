"""The copies of one site on one medium, in a folder of their own.

`NUMBER.json` says what belongs to a copy: every sealed file with its size and SHA-256, nothing of what is in it. It is
written last: a copy is there if, and only if, its index is. Sealed files that several copies share lie in `objects/`,
named by a keyed hash of what they hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.backup.errors import BackupError
from services.backup.sealed import PART, fingerprint
from services.durable import flush_names

FORMAT = 1
OBJECTS = "objects"


@dataclass(frozen=True)
class Copy:
    """One copy: `objects` are its sealed files below `folder`, with the bytes and SHA-256 of each. Copies are numbered
    and not only dated: clocks jump."""

    folder: Path
    number: int
    made_at_ms: int
    version: str
    objects: Mapping[str, tuple[int, str]]

    @property
    def index(self) -> Path:
        return self.folder / f"{self.number:06}.json"

    @property
    def manifest(self) -> str:
        return f"{self.number:06}.manifest.age"

    @property
    def store(self) -> str:
        return f"{self.number:06}.store.age"

    def faults(self) -> list[str]:
        """Which of its files are missing or changed, each read whole. Raises OSError."""
        found = []
        for name, expected in self.objects.items():
            path = self.folder / name
            if not path.is_file():
                found.append(f"{name} is missing")
            elif fingerprint(path) != expected:
                found.append(f"{name} was changed, or the medium is worn")
        return found


def copies(folder: Path) -> list[Copy]:
    """Every copy in a folder, oldest first. Raises BackupError for an index that cannot be read."""
    return [read_index(path) for path in sorted(folder.glob("[0-9]*.json"))]


def read_index(path: Path) -> Copy:
    """Raises BackupError."""
    try:
        kept = json.loads(path.read_bytes())
        objects = {str(name): (int(size), str(sha256)) for name, (size, sha256) in kept["objects"].items()}
        found = Copy(path.parent, int(kept["number"]), int(kept["made_at_ms"]), str(kept["version"]), objects)
    except FileNotFoundError:
        raise BackupError(f"there is no copy {path}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is no index of a copy, or damaged: {error}") from None
    if kept.get("format") != FORMAT:
        raise BackupError(f"{path} was written by a newer Jicho: use one of version {found.version} or newer")
    return found


def write_index(copy: Copy) -> None:
    """Makes a copy exist, whole or not at all. Raises OSError."""
    content = {
        "format": FORMAT,
        "number": copy.number,
        "made_at_ms": copy.made_at_ms,
        "version": copy.version,
        "objects": copy.objects,
    }
    part = copy.index.with_name(copy.index.name + PART)
    with part.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, copy.index)
    flush_names(copy.folder)


def rotate(folder: Path, keep: int) -> int:
    """Deletes all but the newest `keep` copies, and what no copy needs any more. How many copies went.

    Indexes go first: what is interrupted leaves files that nobody names, which the next time deletes. Raises
    BackupError if one index cannot be read: what only that copy needs must stay. Raises OSError.
    """
    found = copies(folder)
    old, kept = found[:-keep], found[-keep:]
    for copy in old:
        copy.index.unlink()
    flush_names(folder)
    needed = {name for copy in kept for name in copy.objects}
    for path in [*folder.glob("*.age"), *folder.glob(f"*{PART}"), *folder.glob(f"{OBJECTS}/*/*")]:
        if path.relative_to(folder).as_posix() not in needed:
            path.unlink(missing_ok=True)
    return len(old)
