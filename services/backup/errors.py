"""What can go wrong with a copy, in the words of whoever holds the stick."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE, errno.ENOTCONN)


class BackupError(Exception):
    """A copy could not be made, read or put back. The text says why and what to do."""


@contextmanager
def medium(folder: Path) -> Iterator[None]:
    """Says what became of the medium below `folder` in plain words. Raises BackupError in the place of OSError."""
    try:
        yield
    except OSError as error:
        raise BackupError(_plainly(folder, error)) from error


def _plainly(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{folder} is full: use a larger medium, or keep fewer copies (JICHO_BACKUP_KEEP); older copies are whole"
        )
    if error.errno == errno.EROFS:
        return f"{folder} is read-only: the stick is locked or damaged, use another"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{folder} cannot be written: it belongs to another user"
    if error.errno in _GONE:
        return f"{folder} went away or cannot be read: put the stick back in and try again; older copies are whole"
    return f"{folder}: {error.strerror or error}"
