"""Are the keys there that open the store, and the paper that opens the copies?"""

from __future__ import annotations

from collections.abc import Iterator

from services.backup.errors import BackupError
from services.backup.making import last
from services.backup.place import site_place
from services.backup.recovery_key import recipient, recipient_file
from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.keyring import KeyringError, site_keys
from services.store.lock import is_locked, unlock

_LATE = 3


def keyring(site: Runtime) -> Iterator[Finding]:
    """The keyring, and that it is this store's."""
    keys = site_keys()
    with site.db.read() as tx:
        locked = is_locked(tx)
        if not locked and not keys.exists:
            yield note("there is no keyring yet", "the first start makes it")
            return
        try:
            if locked:
                unlock(tx, keys)
            else:
                keys.ring  # noqa: B018  whether it can be read
        except KeyringError as error:
            mend = "it is in every copy: `python app.py restore` puts it back; never make a new one for an old store"
            yield broken(str(error), mend)
        else:
            yield fine(f"the keyring {keys.path} opens the store")


def copies(site: Runtime) -> Iterator[Finding]:
    """Whether this machine could burn today."""
    place, settings = site_place(site.settings), site.settings
    if not recipient_file(place.directory).exists():
        yield warning("there is no recovery key: no copy can be made", "`python app.py recovery-key`, and paper")
        return
    try:
        recipient(place.directory)
    except BackupError as error:
        yield broken(str(error), "`python app.py recovery-key --replace`, and paper")
        return
    found = last(place)
    made, hours = int(found.get("at_ms", 0)), settings.backup_hours or 24
    age = now_ms() - made
    mend = "put the stick in, and `python app.py backup DIR`"
    if not made:
        yield warning("no copy was ever made of this site", mend)
    elif age > _LATE * hours * HOUR_MS:
        yield warning(f"the newest copy is {age / DAY_MS:.0f} days old", mend)
    else:
        yield fine(f"the newest copy is {max(age, 0) / HOUR_MS:.0f} hours old, in {found.get('folder')}")
    if found.get("problem"):
        yield warning(f"the last copy could not be made: {found['problem']}", mend)
    if settings.backup_dir is None:
        yield note("copies are made by hand only", "JICHO_BACKUP_DIR has them made by themselves")
