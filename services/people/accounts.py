"""Accounts: who there is, what each may do, and what she proves herself with."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.people import lockout, passwords, totp
from services.people.passwords import COST, Cost
from services.people.roles import ROLES, Role
from services.store.clock import now_ms
from services.store.database import insert_once
from services.store.sealing import seal
from services.store.tables import account, account_session

_NAME = re.compile(r"[^\W_][\w. '-]{1,39}")


class BadAccount(ValueError):
    """An account that cannot be made or changed so. Its text is the id of the words that say why."""


@dataclass(frozen=True)
class Account:
    """Who is signed in. `name` is in small letters; `secured`: a code of her phone is asked for too; `given`: her
    password was printed or set for her, and she has to choose her own."""

    id: int
    name: str
    roles: frozenset[Role]
    language: str | None
    secured: bool
    given: bool


def name_of(typed: str) -> str:
    """A name as it is kept: case and blanks around it do not count."""
    return " ".join(typed.split()).casefold()


def add(tx: Connection, typed: str, roles: Collection[str], *, password: str = "", cost: Cost = COST) -> str:
    """A new account, or a disabled one let in again; returns its password, which nobody can find out again. Without
    `password` one is made, and she has to choose her own with it. Raises BadAccount, WeakPassword."""
    name = name_of(typed)
    if not _NAME.fullmatch(name):
        raise BadAccount("account-name")
    _check_roles(roles)
    if password:
        passwords.check(password, name=name)
    said = password or passwords.generated()
    values = {
        "roles": sorted(roles, key=ROLES.index),
        "password": passwords.hashed(said, cost),
        "password_given": not password,
        "totp_secret": None,
        "totp_step": 0,
        "disabled_at": None,
    }
    if insert_once(tx, account, values | {"name": name, "added_at": now_ms()}, key=("name",)) is None:
        disabled = sa.and_(account.c.name == name, account.c.disabled_at.is_not(None))
        if not tx.execute(account.update().where(disabled).values(values)).rowcount:
            raise BadAccount("account-known")
    lockout.forgive(tx, lockout.ACCOUNT, name)
    return said


def give_password(tx: Connection, typed: str, *, cost: Cost = COST) -> str:
    """A new password for who forgot hers; she is signed out everywhere. Raises BadAccount."""
    said, name = passwords.generated(), name_of(typed)
    _change(tx, name, password=passwords.hashed(said, cost), password_given=True)
    sign_out(tx, name)
    lockout.forgive(tx, lockout.ACCOUNT, name)
    return said


def choose_password(tx: Connection, who: Account, old: str, new: str, *, cost: Cost = COST) -> None:
    """Her own password, for the old one; she stays signed in where she is, and nowhere else, for what calls this ends
    the other sessions. Raises BadAccount, WeakPassword."""
    kept = tx.execute(sa.select(account.c.password).where(account.c.id == who.id)).scalar_one()
    if not passwords.is_right(old, kept):
        raise BadAccount("password-old-wrong")
    passwords.check(new, name=who.name)
    if new == old:
        raise passwords.WeakPassword("password-same")
    _change(tx, who.name, password=passwords.hashed(new, cost), password_given=False)


def set_roles(tx: Connection, typed: str, roles: Collection[str]) -> None:
    """Other roles; she is signed out everywhere. Raises BadAccount: also where no administrator would be left."""
    name = name_of(typed)
    _check_roles(roles)
    _demote(tx, name, roles=sorted(roles, key=ROLES.index))


def disable(tx: Connection, typed: str) -> None:
    """Lets her in no more; what she did stays. Raises BadAccount: also where no administrator would be left."""
    name = name_of(typed)
    _demote(tx, name, disabled_at=now_ms())


def set_second_factor(tx: Connection, who: Account, secret: str, code: str) -> None:
    """From now on a code of her phone is asked for. Raises BadAccount for one that does not fit the secret."""
    step = totp.step_of(secret, code, after=0)
    if step is None:
        raise BadAccount("totp-wrong")
    sealed = seal(account.c.totp_secret, who.name, secret)
    _change(tx, who.name, totp_secret=sealed, totp_step=step)


def drop_second_factor(tx: Connection, typed: str) -> None:
    """For who lost her phone; she is signed out everywhere. Raises BadAccount."""
    name = name_of(typed)
    _change(tx, name, totp_secret=None, totp_step=0)
    sign_out(tx, name)


def set_language(tx: Connection, account_id: int, language: str) -> None:
    """In what language pages speak to her."""
    tx.execute(account.update().where(account.c.id == account_id).values(language=language))


def sign_out(tx: Connection, name: str) -> None:
    """Everywhere."""
    theirs = sa.select(account.c.id).where(account.c.name == name)
    tx.execute(account_session.delete().where(account_session.c.account_id.in_(theirs)))


def listed(tx: Connection) -> list[dict[str, Any]]:
    """Everybody, oldest first: `{"id", "name", "roles", "secured", "given", "added_at", "seen_at", "disabled_at",
    "locked"}`."""
    rows = tx.execute(sa.select(account).order_by(account.c.id))
    return [
        {
            "id": row.id,
            "name": row.name,
            "roles": row.roles,
            "secured": row.totp_secret is not None,
            "given": row.password_given,
            "added_at": row.added_at,
            "seen_at": row.seen_at,
            "disabled_at": row.disabled_at,
            "locked": lockout.locked_until(tx, lockout.ACCOUNT, row.name) is not None,
        }
        for row in rows
    ]


def by_id(tx: Connection, account_id: int) -> str | None:
    """The name of an account, disabled or not."""
    return tx.execute(sa.select(account.c.name).where(account.c.id == account_id)).scalar()


def nobody_yet(tx: Connection) -> bool:
    """Whether no account can sign in."""
    return tx.execute(sa.select(account.c.id).where(account.c.disabled_at.is_(None)).limit(1)).first() is None


def _check_roles(roles: Collection[str]) -> None:
    if not roles or not set(roles) <= set(ROLES):
        raise BadAccount("account-roles")


def _administrators(tx: Connection) -> set[str]:
    rows = tx.execute(sa.select(account.c.name, account.c.roles).where(account.c.disabled_at.is_(None)))
    return {row.name for row in rows if "administrator" in row.roles}


def _demote(tx: Connection, name: str, **values: Any) -> None:
    """A change that may leave nobody in charge: the command line mends it, but a slip of the hand is stopped."""
    before = _administrators(tx)
    _change(tx, name, **values)
    if before and not _administrators(tx):
        raise BadAccount("account-last")
    sign_out(tx, name)


def _change(tx: Connection, name: str, **values: Any) -> None:
    here = sa.and_(account.c.name == name, account.c.disabled_at.is_(None))
    if not tx.execute(account.update().where(here).values(values)).rowcount:
        raise BadAccount("account-unknown")
