"""Another key: everything that old ones sealed is sealed anew, a little at a time, while the service runs.

Broken off, it goes on where it was when it is asked for again: the ring itself says that it is not done, by holding old
keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.store.database import Database
from services.store.keyring import Keyring, key_id
from services.store.lock import lock
from services.store.sealing import seal, sealed_bytes, unseal

_AT_ONCE = 200
_NOTICED_S = 2.0  # running processes look at the ring every second
_PASSES = 20

Names = Mapping[sa.Column[Any], Callable[[Any], str]]


class RotationFailed(Exception):
    """Something is still sealed with an old key, which therefore stays. The text says what."""


def rotate(
    db: Database, keys: Keyring, seal_again: Sequence[Callable[[], int]], *, notice_s: float = _NOTICED_S
) -> list[int]:
    """Makes a new key, or goes on with one that was made, and retires the old ones when nothing needs them any more.
    Each of `seal_again` seals anew what it finds under an old key, and says how much that was: so do the answers.
    Raises RotationFailed, services.store.keyring.NotOurs for what no key opens, KeyringError, OSError."""
    ring = keys.ring
    if len(ring.keys) == 1:
        keys.write(ring.with_new_key())
    time.sleep(notice_s)
    done = [0] * len(seal_again)
    for _ in range(_PASSES):
        # What a process wrote before it noticed the new key is found by the next pass.
        found = [again() for again in seal_again]
        done = [before + more for before, more in zip(done, found, strict=True)]
        if not any(found):
            break
    else:
        raise RotationFailed("something goes on being sealed with the old key: does another host have another keyring?")
    with db.write() as tx:
        lock(tx, keys)
    keys.write(keys.ring.without_old_keys())
    return done


def seal_fields_again(db: Database, keys: Keyring, names: Names) -> int:
    """Seals anew what an old key sealed in these columns, a few rows at a time. How many fields. Raises NotOurs."""
    return sum(_seal_column_again(db, keys, column, name) for column, name in names.items())


def _seal_column_again(db: Database, keys: Keyring, column: sa.Column[Any], name: Callable[[Any], str]) -> int:
    table, done, after = column.table, 0, 0
    while True:
        with db.read() as tx:
            page = sa.select(table).where(table.c.id > after).order_by(table.c.id).limit(_AT_ONCE)
            rows = tx.execute(page).all()
        if not rows:
            return done
        after = rows[-1].id
        old = [row for row in rows if _is_old(getattr(row, column.name), keys.ring.current)]
        if not old:
            continue
        with db.write() as tx:
            for row in old:
                was = getattr(row, column.name)
                fresh = seal(column, name(row), unseal(column, name(row), was))
                # Only if it is still what was read: somebody may have written it meanwhile.
                same = sa.type_coerce(column, sa.Text) == was
                done += tx.execute(table.update().where(table.c.id == row.id, same).values({column: fresh})).rowcount


def _is_old(sealed: str | None, current: str) -> bool:
    return bool(sealed) and key_id(sealed_bytes(str(sealed))) != current
