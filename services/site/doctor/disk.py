"""Is there room, and does the disk keep what it is given?"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning

_FULL_MB, _SLOW_S = 200, 1.0
_CONTENT = os.urandom(64 * 1024)


def space(site: Runtime) -> Iterator[Finding]:
    """Free space in the data directory."""
    free = shutil.disk_usage(site.settings.data_dir).free >> 20
    mend = "delete what is not Jicho's, or use a larger disk; photographs go once a hub has them or their time is over"
    if free < _FULL_MB:
        yield broken(f"the disk has {free} MB left: photographs are about to be refused", mend)
    elif free < site.settings.low_disk_mb:
        yield warning(f"the disk has {free} MB left, less than JICHO_LOW_DISK_MB={site.settings.low_disk_mb}", mend)
    else:
        yield fine(f"{free} MB are free")


def writes(site: Runtime) -> Iterator[Finding]:
    """Writes a file, has it on the disk, and reads it back."""
    folder = site.settings.data_dir
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".writing-") as file:
            began = time.monotonic()
            file.write(_CONTENT)
            file.flush()
            os.fsync(file.fileno())
            took = time.monotonic() - began
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            same = Path(file.name).read_bytes() == _CONTENT
    except OSError as error:
        yield broken(f"{folder} does not take writes: {error.strerror}", _MEND.get(error.errno or 0, _ANOTHER))
        return
    if not same:
        yield broken(f"{folder} gave back something else than was written: the disk is dying", _ANOTHER)
    elif took > _SLOW_S:
        yield warning(f"a write took {took:.1f} s to reach the disk: worn cards become slow before they fail", _ANOTHER)
    else:
        yield fine(f"a write is on the disk after {took * 1000:.0f} ms")


def privacy(site: Runtime) -> Iterator[Finding]:
    """Who else on this machine can read what is here."""
    settings = site.settings
    # Settings may be root's, readable by the service's own group; keys are nobody's but the service's.
    for path, others, mend in (
        (settings.data_dir / "trial-secrets.json", 0o077, "600"),
        (settings.keyring_path, 0o077, "600"),
        (Path(".env"), 0o007, "640"),
    ):
        if path.is_file() and path.stat().st_mode & others:
            yield broken(
                f"{path} holds secrets and others on this machine can read it", f"chmod {mend} {path.resolve()}"
            )
    folder = settings.data_dir
    if folder.stat().st_mode & 0o007:
        yield note(f"{folder} can be looked into by other users of this machine", f"chmod 750 {folder}")
    if folder.stat().st_uid != os.geteuid() and os.geteuid() != 0:
        yield broken(
            f"{folder} belongs to another user", "run this as the user that runs Jicho, such as `sudo -u jicho`"
        )


_ANOTHER = "make a copy now (`python app.py backup`), and use another disk or card"
_MEND = {
    errno.ENOSPC: "make room: delete what is not Jicho's, or use a larger disk",
    errno.EDQUOT: "make room: this user's quota is used up",
    errno.EROFS: "it became read-only, as Linux makes a damaged disk: " + _ANOTHER,
    errno.EACCES: "give the folder to the user that runs Jicho (`chown -R`)",
}
