"""`python app.py account …`: who may use the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from services.commands import clear_errors, configure
from services.people.roles import ROLES

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ROLE = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="what she may do; may be repeated"
)
_WHY = {
    "account-name": "a name has 2 to 40 letters, digits, spaces, dots or dashes, and begins with a letter or digit",
    "account-known": "there is an account of this name: see `python app.py account list`",
    "account-unknown": "there is no such account, or it is disabled: see `python app.py account list`",
    "account-last": "nobody would be left who is an administrator: make another one first",
}


@click.group()
def account() -> None:
    """Who may use the console (add, list, roles, password, totp, disable)."""


@account.command("add")
@click.argument("name")
@_ROLE
def account_add(name: str, roles: tuple[str, ...]) -> None:
    """Let NAME use the console, and print a password, once; she chooses her own when she signs in."""
    from services.people import accounts

    with _store() as tx:
        password = accounts.add(tx, name, set(roles))
    click.echo(f"Added {accounts.name_of(name)}. Password, shown once: {password}")


@account.command("list")
def account_list() -> None:
    """Show every account: what it may do, and whether a second factor is set up."""
    from services.pages.words import when
    from services.people import accounts

    with _store() as tx:
        for each in accounts.listed(tx):
            notes = [
                "second factor" if each["secured"] else "",
                "password not chosen yet" if each["given"] else "",
                "locked" if each["locked"] else "",
                "disabled" if each["disabled_at"] else "",
                f"last signed in {when(each['seen_at'])}" if each["seen_at"] else "never signed in",
            ]
            click.echo(f"{each['name']:20}  {', '.join(each['roles'])}  ({', '.join(filter(None, notes))})")


@account.command("roles")
@click.argument("name")
@_ROLE
def account_roles(name: str, roles: tuple[str, ...]) -> None:
    """Give NAME these roles and no others; she is signed out everywhere."""
    from services.people import accounts

    with _store() as tx:
        accounts.set_roles(tx, name, set(roles))


@account.command("password")
@click.argument("name")
def account_password(name: str) -> None:
    """Print a new password for NAME, once, and sign her out everywhere."""
    from services.people import accounts

    with _store() as tx:
        password = accounts.give_password(tx, name)
    click.echo(f"Password, shown once: {password}")


@account.command("totp")
@click.argument("name")
def account_totp(name: str) -> None:
    """Take NAME's second factor away, for a lost phone; an administrator sets up a new one when she signs in."""
    from services.people import accounts

    with _store() as tx:
        accounts.drop_second_factor(tx, name)


@account.command("disable")
@click.argument("name")
def account_disable(name: str) -> None:
    """Let NAME in no more; `account add` lets her in again."""
    from services.people import accounts

    with _store() as tx:
        accounts.disable(tx, name)


@contextmanager
def _store() -> Iterator[Connection]:
    """One transaction on the site's store; what cannot be is one clear line."""
    from services import runtime
    from services.people.accounts import BadAccount
    from services.store.migrate import migrate

    with clear_errors():
        configure("command")
        migrate(runtime.current().db)
        try:
            with runtime.current().db.write() as tx:
                yield tx
        except BadAccount as problem:
            raise click.ClickException(_WHY[str(problem)]) from None
