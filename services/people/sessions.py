"""Who is signed in where: a token in a cookie, of which only the hash is kept, so that a session can be taken back."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.people import lockout, passwords, totp
from services.people.accounts import Account, name_of
from services.people.lockout import ACCOUNT, ADDRESS
from services.people.passwords import COST, Cost
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms
from services.store.database import Database
from services.store.sealing import unseal
from services.store.tables import account, account_session

_SEEN_EVERY_MS = MINUTE_MS


class Refused(Exception):
    """No sign-in. `reason` is the id of the words: "login-wrong" or "login-locked"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Life:
    """How long a session lasts unused, and how long at most."""

    idle_ms: int = 30 * MINUTE_MS
    most_ms: int = 12 * HOUR_MS


def begin(
    db: Database, typed: str, password: str, code: str, *, address: str, life: Life, cost: Cost = COST
) -> tuple[str, Account]:
    """A token for whoever knows the password and, where she has one, her phone's code. Raises Refused.

    A wrong name, password or code are answered alike and take as long: nobody learns which it was.
    """
    name = name_of(typed)
    with db.read() as tx:
        row = tx.execute(sa.select(account).where(account.c.name == name, account.c.disabled_at.is_(None))).first()
        if lockout.locked_until(tx, ACCOUNT, name) or lockout.locked_until(tx, ADDRESS, address):
            raise Refused("login-locked")
    # Outside of any transaction: it is slow.
    right = passwords.is_right(password, _nobodys(cost) if row is None else row.password)
    anew = passwords.hashed(password, cost) if right and row and passwords.is_outdated(row.password, cost) else None
    with db.write() as tx:
        step = _step(tx, row.id, code) if right and row is not None else None
        if step is None or row is None:
            lockout.count_wrong(tx, ACCOUNT, name)
            lockout.count_wrong(tx, ADDRESS, address)
        else:
            lockout.forgive(tx, ACCOUNT, name)
            values = {"totp_step": step, "seen_at": now_ms(), "password": anew or row.password}
            tx.execute(account.update().where(account.c.id == row.id).values(values))
            return _admit(tx, row.id, life), _account(row)
    raise Refused("login-wrong")


def who(db: Database, token: str, life: Life) -> Account | None:
    """Whose token this is, if its session still lasts. Being used keeps it from lapsing."""
    now = now_ms()
    here = account_session.c.token_sha256 == _of_token(token)
    with db.read() as tx:
        row = tx.execute(
            sa.select(account, account_session.c.seen_at.label("used_at"), account_session.c.ends_at)
            .join(account_session, account_session.c.account_id == account.c.id)
            .where(here, account.c.disabled_at.is_(None))
        ).first()
    if row is None or not now < row.ends_at or not now < row.used_at + life.idle_ms:
        return None
    if now - row.used_at > _SEEN_EVERY_MS:  # not at each request: it is a write
        with db.write() as tx:
            tx.execute(account_session.update().where(here).values(seen_at=now))
    return _account(row)


def end(tx: Connection, token: str) -> None:
    """Signs out here."""
    tx.execute(account_session.delete().where(account_session.c.token_sha256 == _of_token(token)))


def end_others(tx: Connection, account_id: int, token: str) -> None:
    """Signs her out everywhere else."""
    others = account_session.c.account_id == account_id, account_session.c.token_sha256 != _of_token(token)
    tx.execute(account_session.delete().where(*others))


def number(tx: Connection, account_id: int) -> int:
    """In how many places she is signed in."""
    of_account = account_session.c.account_id == account_id, account_session.c.ends_at > now_ms()
    found: int = tx.execute(sa.select(sa.func.count()).where(*of_account)).scalar_one()
    return found


def _step(tx: Connection, account_id: int, code: str) -> int | None:
    """The step of a right code, or 0 where none is asked for. Read again: two tries may hold the same code."""
    row = tx.execute(
        sa.select(account.c.name, account.c.totp_secret, account.c.totp_step)
        .where(account.c.id == account_id)
        .with_for_update()
    ).one()
    if row.totp_secret is None:
        return 0
    return totp.step_of(unseal(account.c.totp_secret, row.name, row.totp_secret), code, after=row.totp_step)


def _admit(tx: Connection, account_id: int, life: Life) -> str:
    now, token = now_ms(), secrets.token_urlsafe(32)
    tx.execute(
        account_session.delete().where(
            sa.or_(account_session.c.ends_at < now, account_session.c.seen_at < now - life.idle_ms)
        )
    )
    tx.execute(
        account_session.insert().values(
            account_id=account_id,
            token_sha256=_of_token(token),
            began_at=now,
            seen_at=now,
            ends_at=now + life.most_ms,
        )
    )
    return token


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        roles=frozenset(row.roles),
        language=row.language,
        secured=row.totp_secret is not None,
        given=row.password_given,
    )


def _of_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=2)
def _nobodys(cost: Cost) -> str:
    """A password that nobody has."""
    return passwords.hashed(secrets.token_urlsafe(), cost)
