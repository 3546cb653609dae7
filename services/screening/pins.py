"""A health worker's PIN: her phone may be lent or stolen, her list of screenings holds codes that open results.

A PIN has four to six digits: no hash, however slow, hides that from whoever has the store. It is kept as a keyed hash,
and the key lies elsewhere (services/store/keyring.py).
"""

from __future__ import annotations

import hmac
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.people import lockout
from services.people.lockout import PIN
from services.settings import current
from services.store.keyring import site_keys
from services.store.sealing import phone_token
from services.store.tables import worker as worker_table

PinState = Literal["off", "unset", "set", "locked"]


def hashed(msisdn: str, pin: str) -> str:
    """What is kept and journalled of a PIN: nothing of it can be told from the outside."""
    return site_keys().ring.token("pin", f"{phone_token(msisdn)}:{pin}")


def pin_state(tx: Connection, *, worker: str) -> dict[str, Any]:
    """What has to be asked of a health worker: `{"state": "off"|"unset"|"set"|"locked"}`."""
    if not current().worker_pin:
        return {"state": "off"}
    row = _of(tx, worker)
    if row is None:
        return {"state": "off"}  # not a worker (any more): the list is empty
    if lockout.locked_until(tx, PIN, row.id) is not None:
        return {"state": "locked"}
    return {"state": "unset" if row.pin is None else "set"}


def check_pin(tx: Connection, *, worker: str, pin: str) -> dict[str, Any]:
    """Whether this is her PIN, by its hash: `{"state": "right"|"wrong"|"locked"}`. Five wrong ones lock it."""
    row = _of(tx, worker)
    if row is None or row.pin is None or lockout.locked_until(tx, PIN, row.id) is not None:
        return {"state": "locked"}
    if hmac.compare_digest(row.pin.encode(), pin.encode()):
        lockout.forgive(tx, PIN, row.id)
        return {"state": "right"}
    lockout.count_wrong(tx, PIN, row.id)
    return {"state": "wrong" if lockout.locked_until(tx, PIN, row.id) is None else "locked"}


def choose_pin(tx: Connection, *, worker: str, pin: str) -> dict[str, Any]:
    """Her PIN from now on, by its hash, if she has none yet: `{"state": "right"|"locked"}`."""
    unset = worker_table.c.msisdn == worker, worker_table.c.active, worker_table.c.pin.is_(None)
    changed = tx.execute(worker_table.update().where(*unset).values(pin=pin))
    return {"state": "right" if changed.rowcount else "locked"}


def forget_pin(tx: Connection, *, msisdn: str) -> bool:
    """Lets her choose another one. False if she has none."""
    row = _of(tx, msisdn)
    if row is None:
        return False
    lockout.forgive(tx, PIN, row.id)
    changed = tx.execute(worker_table.update().where(worker_table.c.id == row.id).values(pin=None))
    return row.pin is not None and changed.rowcount > 0


def has_pin(tx: Connection, *, msisdn: str) -> bool:
    """Whether she chose one."""
    row = _of(tx, msisdn)
    return row is not None and row.pin is not None


def _of(tx: Connection, msisdn: str) -> Any:
    return tx.execute(
        sa.select(worker_table.c.id, worker_table.c.pin).where(worker_table.c.msisdn == msisdn, worker_table.c.active)
    ).first()
