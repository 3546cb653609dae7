"""Files that survive a pulled plug: written beside their place, flushed, renamed, and the folder flushed too."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Puts `content` at `path`, whole or not at all. Raises OSError (full disk, no permission)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    flush_names(path.parent)


def flush_tree(folder: Path) -> None:
    """Has everything below a folder on the disk, and its names. Raises OSError."""
    for path, _, files in os.walk(folder, topdown=False):
        for file in files:
            with open(Path(path, file), "rb") as content:
                os.fsync(content.fileno())
        flush_names(Path(path))


def flush_names(folder: Path) -> None:
    """Has the names in a folder on the disk: what was renamed, made or deleted in it. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
