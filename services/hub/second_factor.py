"""Six digits from a phone, asked besides the password of whoever has such a secret at the hub. It lies sealed among the
hub's own secrets, with the step of the last code that was taken."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import secret
from services.people import totp
from services.store.database import one_at_a_time
from services.store.sealing import seal_bytes, unseal_bytes


def give(tx: Connection, reviewer_id: int) -> str:
    """A new secret for somebody, in base 32; one that was there holds no more."""
    take_away(tx, reviewer_id)
    made = totp.new_secret()
    _keep(tx, reviewer_id, made, 0)
    return made


def take_away(tx: Connection, reviewer_id: int) -> bool:
    """Asks somebody for no code any more. False if none was asked."""
    return tx.execute(secret.delete().where(secret.c.name == _name(reviewer_id))).rowcount > 0


def is_asked(tx: Connection, reviewer_id: int) -> bool:
    """Whether somebody is asked for a code."""
    return tx.execute(sa.select(secret.c.name).where(secret.c.name == _name(reviewer_id))).first() is not None


def holds(tx: Connection, reviewer_id: int, code: str) -> bool:
    """Whether somebody may come in with this code: always, if none is asked. Each is taken once."""
    name = _name(reviewer_id)
    one_at_a_time(tx, name)
    sealed = tx.execute(sa.select(secret.c.value).where(secret.c.name == name)).scalar()
    if sealed is None:
        return True
    kept = json.loads(unseal_bytes(secret.c.value, name, sealed))
    step = totp.step_of(kept["secret"], code, after=kept["step"])
    if step is None:
        return False
    tx.execute(secret.delete().where(secret.c.name == name))
    _keep(tx, reviewer_id, kept["secret"], step)
    return True


def _keep(tx: Connection, reviewer_id: int, made: str, step: int) -> None:
    name = _name(reviewer_id)
    value = seal_bytes(secret.c.value, name, json.dumps({"secret": made, "step": step}).encode())
    tx.execute(secret.insert().values(name=name, value=value))


def _name(reviewer_id: int) -> str:
    return f"second-factor:{reviewer_id}"
