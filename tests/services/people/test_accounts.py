"""Accounts: who there is, what each may do, and that nobody is shut out by a slip of the hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.people import accounts, totp
from services.people.accounts import BadAccount
from services.people.passwords import Cost, WeakPassword
from services.people.sessions import Life, begin, who
from services.runtime import Runtime
from services.store.tables import account

CHEAP = Cost(passes=1, memory_kib=8)
GOOD = "the lake at dawn"


def do(site: Runtime, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with site.db.write() as tx:
        return act(tx, *arguments, **named)


def add(site: Runtime, name: str, *roles: str, password: str = GOOD) -> str:
    said: str = do(site, accounts.add, name, set(roles), password=password, cost=CHEAP)
    return said


def sign_in(site: Runtime, name: str, password: str = GOOD, code: str = "") -> tuple[str, accounts.Account]:
    return begin(site.db, name, password, code, address="10.0.0.7", life=Life(), cost=CHEAP)


def listed(tx: Connection) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in accounts.listed(tx)}


def test_a_printed_password_has_to_be_replaced(site: Runtime) -> None:
    assert do(site, accounts.nobody_yet)
    said = do(site, accounts.add, "  Dr.  Atieno ", {"reviewer", "nurse"}, cost=CHEAP)
    assert not do(site, accounts.nobody_yet)
    token, found = sign_in(site, "dr. ATIENO", said)
    assert (found.name, found.roles, found.given) == ("dr. atieno", {"nurse", "reviewer"}, True)
    for old, new, why in (
        ("wrong", GOOD, "password-old-wrong"),
        (said, "short", "password-length"),
        (said, said, "password-same"),
    ):
        with pytest.raises((BadAccount, WeakPassword), match=why):
            do(site, accounts.choose_password, found, old, new, cost=CHEAP)
    do(site, accounts.choose_password, found, said, GOOD, cost=CHEAP)
    now = who(site.db, token, Life())
    assert now is not None
    assert not now.given
    assert sign_in(site, "dr. atieno", GOOD)


@pytest.mark.parametrize(
    ("name", "roles", "why"),
    [
        ("a", {"nurse"}, "account-name"),
        ("-x-", {"nurse"}, "account-name"),
        ("a" * 41, {"nurse"}, "account-name"),
        ("achieng", set(), "account-roles"),
        ("achieng", {"doctor"}, "account-roles"),
        ("Known", {"nurse"}, "account-known"),
    ],
)
def test_what_is_no_account_is_refused(site: Runtime, name: str, roles: set[str], why: str) -> None:
    add(site, "known", "nurse")
    with pytest.raises(BadAccount, match=why):
        do(site, accounts.add, name, roles, password=GOOD, cost=CHEAP)


def test_the_last_administrator_stays(site: Runtime) -> None:
    add(site, "achieng", "administrator", "nurse")
    for act in (accounts.disable, lambda tx, name: accounts.set_roles(tx, name, {"nurse"})):
        with pytest.raises(BadAccount, match="account-last"):
            do(site, act, "achieng")
    add(site, "otieno", "administrator")
    do(site, accounts.set_roles, "achieng", {"nurse"})
    with site.db.read() as tx:
        assert listed(tx)["achieng"]["roles"] == ["nurse"]


def test_who_is_disabled_comes_back_only_as_somebody_new(site: Runtime) -> None:
    add(site, "otieno", "administrator")
    add(site, "achieng", "nurse")
    token, _ = sign_in(site, "achieng")
    do(site, accounts.disable, "achieng")
    assert who(site.db, token, Life()) is None
    for act in (accounts.disable, accounts.give_password, accounts.drop_second_factor):
        with pytest.raises(BadAccount, match="account-unknown"):
            do(site, act, "achieng")
    add(site, "Achieng", "operator", password="another good one")
    assert sign_in(site, "achieng", "another good one")[1].roles == {"operator"}


def test_a_forgotten_password_signs_out_everywhere(site: Runtime) -> None:
    add(site, "achieng", "nurse")
    token, _ = sign_in(site, "achieng")
    said = do(site, accounts.give_password, "Achieng", cost=CHEAP)
    assert who(site.db, token, Life()) is None
    assert sign_in(site, "achieng", said)[1].given


def test_a_second_factor_lies_sealed_and_is_asked_for(site: Runtime) -> None:
    add(site, "achieng", "administrator")
    token, found = sign_in(site, "achieng")
    secret = totp.new_secret()
    right = totp.code_at(secret, totp.current_step())
    with pytest.raises(BadAccount, match="totp-wrong"):
        do(site, accounts.set_second_factor, found, secret, "000000" if right != "000000" else "111111")
    do(site, accounts.set_second_factor, found, secret, right)
    with site.db.read() as tx:
        kept = tx.execute(sa.select(account.c.totp_secret)).scalar_one()
        assert secret not in kept
        assert listed(tx)["achieng"]["secured"]
    do(site, accounts.drop_second_factor, "achieng")
    assert who(site.db, token, Life()) is None
    assert not sign_in(site, "achieng")[1].secured
