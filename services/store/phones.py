"""Phone numbers: sealed in one table by their keyed hash, which is all that any other table holds.

To forget a number is to delete one row: what is left of it elsewhere cannot be dialled, nor told from any other.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import now_ms
from services.store.database import insert_once
from services.store.sealing import is_token, phone_token, seal, unseal
from services.store.tables import phone_number

_BY_TOKEN = sa.select(phone_number.c.sealed).where(phone_number.c.token == sa.bindparam("token"))


def remember(tx: Connection, msisdn: str) -> str:
    """Keeps a number, once, so that it can be dialled later. The keyed hash by which it is known; given that, it does
    nothing."""
    token = phone_token(msisdn)
    if token and token != msisdn:
        row = {"token": token, "sealed": seal(phone_number.c.sealed, token, msisdn), "added_at": now_ms()}
        insert_once(tx, phone_number, row, key=("token",))
    return token


def number_of(tx: Connection, msisdn: str) -> str | None:
    """The number of a keyed hash, or None if it was forgotten. A number is itself."""
    if not is_token(msisdn):
        return msisdn
    sealed = tx.execute(_BY_TOKEN, {"token": msisdn}).scalar()
    return None if sealed is None else unseal(phone_number.c.sealed, msisdn, sealed)


def forget_number(tx: Connection, msisdn: str) -> bool:
    """Deletes a number. False if it was not known."""
    deleted = tx.execute(phone_number.delete().where(phone_number.c.token == phone_token(msisdn)))
    return deleted.rowcount > 0
