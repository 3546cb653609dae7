"""Which keyring a store is sealed with: a value that only the right one opens."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.keyring import Keyring, KeyringError, NotOurs
from services.store.sealing import seal_at, unseal_at

_TABLE = "store_lock"
_KNOWN = "jicho"
SCRUB, SEAL_FILES = "scrub", "seal-files"
"""What is left to do after what lay open was sealed: its old bytes in the database's file, and files."""
_ROWS = sa.table(_TABLE, sa.column("name", sa.Text), sa.column("sealed", sa.Text))


def store_lock(tables: sa.MetaData) -> sa.Table:
    """The table, for the site's store or the hub's."""
    name, sealed = sa.Column("name", sa.Text, primary_key=True), sa.Column("sealed", sa.Text, nullable=False)
    return sa.Table(_TABLE, tables, name, sealed)


def unlock(tx: Connection, keys: Keyring) -> None:
    """Makes sure that this is the store's keyring, or makes one for a store that has none yet. Raises KeyringError: a
    wrong key would leave a store of which no key opens all."""
    sealed = _sealed(tx)
    if sealed is None:
        if not keys.exists:
            keys.create()
        keys.ring  # noqa: B018  a damaged one must not be written over
        return
    try:
        unseal_at(keys, _TABLE, _KNOWN, "sealed", sealed)
    except NotOurs:
        raise KeyringError(
            f"the keyring {keys.path} is another store's: put back the copy that was kept of this one's"
        ) from None


def lock(tx: Connection, keys: Keyring) -> None:
    """Has the store remember its keyring; again after a rotation."""
    sealed = str(seal_at(keys, _TABLE, _KNOWN, "sealed", _KNOWN))
    if _sealed(tx) is None:
        tx.execute(_ROWS.insert().values(name=_KNOWN, sealed=sealed))
    else:
        tx.execute(_ROWS.update().where(_ROWS.c.name == _KNOWN).values(sealed=sealed))


def leave_note(tx: Connection, name: str) -> None:
    """Leaves what a migration could not do inside its transaction; it stands until `take_note`."""
    tx.execute(_ROWS.delete().where(_ROWS.c.name == name))
    tx.execute(_ROWS.insert().values(name=name, sealed=""))


def has_note(tx: Connection, name: str) -> bool:
    """Whether that is still to be done."""
    return has_lock(tx) and tx.execute(sa.select(_ROWS.c.name).where(_ROWS.c.name == name)).first() is not None


def take_note(tx: Connection, name: str) -> None:
    """It is done."""
    tx.execute(_ROWS.delete().where(_ROWS.c.name == name))


def is_locked(tx: Connection) -> bool:
    """Whether the store remembers a keyring."""
    return _sealed(tx) is not None


def has_lock(tx: Connection) -> bool:
    """Whether the store's schema can remember one: those of old releases cannot."""
    return sa.inspect(tx).has_table(_TABLE)


def _sealed(tx: Connection) -> str | None:
    if not has_lock(tx):
        return None
    found: str | None = tx.execute(sa.select(_ROWS.c.sealed).where(_ROWS.c.name == _KNOWN)).scalar()
    return found
