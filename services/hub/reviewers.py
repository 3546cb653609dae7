"""Who may look at the hub's pages: a list of names, each with a password that was printed once and is kept hashed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub import second_factor
from services.hub.audit import LOG
from services.hub.tables import reviewer, sign_in
from services.people import passwords
from services.store.audit import by_account, by_command
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms
from services.store.database import Database, insert_once

Role = Literal["reviewer", "operator"]
SIGNED_IN_MS = 12 * HOUR_MS
_PASSWORD_BYTES = 15
_WRONG, _LOCKED_MS = 10, MINUTE_MS
_SCRYPT = "scrypt:"
"""How passwords of earlier releases begin; each is hashed anew when it is next used."""


class Locked(Exception):
    """Too many wrong passwords for this name: none is looked at for a minute."""


@dataclass(frozen=True)
class Reviewer:
    """Who is signed in. A reviewer judges photographs; an operator sees how sites are, and no photograph."""

    id: int
    name: str
    role: Role


def add(tx: Connection, name: str, role: Role) -> str:
    """Lets somebody in, and returns the password, which nobody can find out again. A known name gets a new password and
    role, is signed out everywhere, and keeps the second factor."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    values = {
        "role": role,
        "password": passwords.hashed(password),
        "wrong": 0,
        "locked_until": None,
        "removed_at": None,
    }
    if insert_once(tx, reviewer, {"name": name, "added_at": now_ms()} | values, key=("name",)) is None:
        tx.execute(reviewer.update().where(reviewer.c.name == name).values(values))
        _sign_out_everywhere(tx, name)
    LOG.record(tx, by_command(), "person-added", f"person:{name}", role=role)
    return password


def remove(tx: Connection, name: str) -> bool:
    """Lets somebody in no more; what she found stays. False if there is no such name."""
    number = _number(tx, name)
    if number is None:
        return False
    tx.execute(reviewer.update().where(reviewer.c.id == number).values(removed_at=now_ms()))
    second_factor.take_away(tx, number)
    _sign_out_everywhere(tx, name)
    LOG.record(tx, by_command(), "person-removed", f"person:{name}")
    return True


def listed(tx: Connection) -> list[dict[str, Any]]:
    """Everybody, oldest first: `{"id", "name", "role", "added_at", "removed_at", "secured"}`."""
    columns = (reviewer.c.id, reviewer.c.name, reviewer.c.role, reviewer.c.added_at, reviewer.c.removed_at)
    rows = tx.execute(sa.select(*columns).order_by(reviewer.c.id)).mappings().all()
    return [dict(row) | {"secured": second_factor.is_asked(tx, row["id"])} for row in rows]


def secure(tx: Connection, name: str) -> str | None:
    """The secret of a second factor, for somebody's phone; from now on its codes are asked. None if there is no such
    name."""
    number = _number(tx, name)
    if number is None:
        return None
    LOG.record(tx, by_command(), "second-factor-given", f"person:{name}")
    return second_factor.give(tx, number)


def secure_no_more(tx: Connection, name: str) -> bool:
    """Asks for no code any more: the phone is lost. False if none was asked."""
    number = _number(tx, name)
    if number is None or not second_factor.take_away(tx, number):
        return False
    LOG.record(tx, by_command(), "second-factor-taken-away", f"person:{name}")
    return True


def begin(db: Database, name: str, password: str, code: str = "") -> str | None:
    """A token for whoever knows the password, and the `code` where one is asked; None for a wrong one. Raises Locked.

    Takes as long for a name that is none: nobody learns names by trying.
    """
    with db.read() as tx:
        row = tx.execute(sa.select(reviewer).where(reviewer.c.name == name, reviewer.c.removed_at.is_(None))).first()
    if row is not None and row.locked_until is not None and row.locked_until > now_ms():
        raise Locked
    # Outside of any transaction: it is slow.
    right = _is_right(password, _nobodys() if row is None else row.password)
    anew = passwords.hashed(password) if right and row is not None and row.password.startswith(_SCRYPT) else None
    if row is None:
        return None
    with db.write() as tx:
        # The code only after the password: a wrong guess must not use up a right code.
        if right and second_factor.holds(tx, row.id, code):
            if anew is not None:
                tx.execute(reviewer.update().where(reviewer.c.id == row.id).values(password=anew))
            LOG.record(tx, by_account(name), "sign-in")
            return _admit(tx, row.id)
        LOG.record(tx, by_account(name), "sign-in-refused")
        _count_wrong(tx, row.id)
        return None


def who(tx: Connection, token: str) -> Reviewer | None:
    """Whose token this is."""
    row = tx.execute(
        sa.select(reviewer.c.id, reviewer.c.name, reviewer.c.role)
        .join(sign_in, sign_in.c.reviewer_id == reviewer.c.id)
        .where(
            sign_in.c.token_sha256 == _of_token(token),
            sign_in.c.expires_at > now_ms(),
            reviewer.c.removed_at.is_(None),
        )
    ).first()
    return None if row is None else Reviewer(row.id, row.name, row.role)


def end(tx: Connection, token: str) -> None:
    """Signs out."""
    tx.execute(sign_in.delete().where(sign_in.c.token_sha256 == _of_token(token)))


def _number(tx: Connection, name: str) -> int | None:
    here = sa.and_(reviewer.c.name == name, reviewer.c.removed_at.is_(None))
    found: int | None = tx.execute(sa.select(reviewer.c.id).where(here)).scalar()
    return found


def _admit(tx: Connection, reviewer_id: int) -> str:
    now, token = now_ms(), secrets.token_urlsafe(32)
    tx.execute(reviewer.update().where(reviewer.c.id == reviewer_id).values(wrong=0, locked_until=None))
    tx.execute(sign_in.delete().where(sign_in.c.expires_at < now))
    row = {"reviewer_id": reviewer_id, "token_sha256": _of_token(token), "at": now, "expires_at": now + SIGNED_IN_MS}
    tx.execute(sign_in.insert().values(row))
    return token


def _count_wrong(tx: Connection, reviewer_id: int) -> None:
    theirs = reviewer.c.id == reviewer_id
    tx.execute(reviewer.update().where(theirs).values(wrong=reviewer.c.wrong + 1))
    locked = {"wrong": 0, "locked_until": now_ms() + _LOCKED_MS}
    tx.execute(reviewer.update().where(theirs, reviewer.c.wrong >= _WRONG).values(locked))


def _sign_out_everywhere(tx: Connection, name: str) -> None:
    theirs = sa.select(reviewer.c.id).where(reviewer.c.name == name)
    tx.execute(sign_in.delete().where(sign_in.c.reviewer_id.in_(theirs)))


def _of_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _is_right(password: str, kept: str) -> bool:
    if not kept.startswith(_SCRYPT):
        return passwords.is_right(password, kept)
    _, log2_n, r, p, salt, expected = kept.split(":")
    n, block = 2 ** int(log2_n), int(r)
    found = hashlib.scrypt(
        password.encode(), salt=b64decode(salt), n=n, r=block, p=int(p), maxmem=2 * 128 * n * block, dklen=32
    )
    return hmac.compare_digest(found, b64decode(expected))


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return passwords.hashed(secrets.token_urlsafe())
