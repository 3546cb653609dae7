"""Who has a second factor at the hub comes in with password and code, each code once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app import main
from services import settings
from services.hub.resealing import secrets_again
from services.hub.reviewers import Locked, add, begin, listed, remove, secure, secure_no_more
from services.hub.runtime import Hub
from services.hub.tables import secret
from services.people import totp
from services.store.keyring import hub_keys


@pytest.fixture
def password(hub: Hub) -> str:
    with hub.db.write() as tx:
        return add(tx, "Otieno", "operator")


def secured(hub: Hub) -> str:
    with hub.db.write() as tx:
        made = secure(tx, "Otieno")
    assert made is not None
    return made


def code(made: str, *, steps: int = 0) -> str:
    return totp.code_at(made, totp.current_step() + steps)


@pytest.mark.parametrize(("typed", "comes_in"), [("", False), ("000000", False), ("right", True), ("old", False)])
def test_password_and_code(hub: Hub, password: str, typed: str, comes_in: bool) -> None:
    made = secured(hub)
    typed = {"right": code(made), "old": code(made, steps=-4)}.get(typed, typed)
    assert (begin(hub.db, "Otieno", password, typed) is not None) is comes_in


def test_a_code_is_taken_once_and_not_by_a_wrong_password(hub: Hub, password: str) -> None:
    made = secured(hub)
    assert begin(hub.db, "Otieno", "wrong", code(made)) is None
    assert begin(hub.db, "Otieno", password, code(made)) is not None
    assert begin(hub.db, "Otieno", password, code(made)) is None, "somebody saw it being typed"
    assert begin(hub.db, "Otieno", password, code(made, steps=1)) is not None


def test_guessing_codes_locks(hub: Hub, password: str) -> None:
    secured(hub)
    for _ in range(10):
        assert begin(hub.db, "Otieno", password, "123") is None
    with pytest.raises(Locked):
        begin(hub.db, "Otieno", password, "123")


def test_it_lies_sealed_is_sealed_again_and_goes_with_its_owner(hub: Hub, password: str) -> None:
    made = secured(hub)
    with hub.db.read() as tx:
        kept = b"".join(map(bytes, tx.execute(sa.select(secret.c.value)).scalars()))
        assert [each["secured"] for each in listed(tx)] == [True]
    assert made.encode() not in kept
    keys = hub_keys()
    keys.write(keys.ring.with_new_key())
    assert secrets_again(hub.db, keys) >= 1
    assert begin(hub.db, "Otieno", password, code(made)) is not None
    with hub.db.write() as tx:
        assert remove(tx, "Otieno")
        assert [each["secured"] for each in listed(tx)] == [False]
        assert not secure_no_more(tx, "Otieno")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["hub", "reviewer", *words])


def test_the_command_shows_it_once(migrated: Hub) -> None:
    password = run("add", "Otieno").output.strip()
    shown = run("second-factor", "Otieno")
    assert shown.exit_code == 0, shown.output
    made = shown.output.split()[-1]
    assert begin(migrated.db, "Otieno", password) is None
    assert begin(migrated.db, "Otieno", password, code(made)) is not None
    assert "asked for a code" in run("list").output
    assert run("second-factor", "Otieno", "--off").exit_code == 0
    assert begin(migrated.db, "Otieno", password) is not None
    for words in (["Otieno", "--off"], ["Nobody"], ["Nobody", "--off"]):
        assert run("second-factor", *words).exit_code == 1


@pytest.mark.parametrize(("public", "has_one"), [("https://hub.example.org", True), ("", False)])
def test_operators_of_a_public_hub_have_one(
    migrated: Hub, monkeypatch: pytest.MonkeyPatch, public: str, has_one: bool
) -> None:
    monkeypatch.setenv("JICHO_HUB_PUBLIC_URL", public)
    settings.current.cache_clear()
    assert run("add", "Njeri", "--operator").exit_code == 0
    assert run("add", "Dr Atieno").exit_code == 0
    with migrated.db.read() as tx:
        assert [each["secured"] for each in listed(tx)] == [has_one, False]
