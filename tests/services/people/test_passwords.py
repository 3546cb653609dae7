"""A password is kept so that a stolen store does not give it away, and a weak one is refused."""

from __future__ import annotations

import pytest

from services.people.passwords import (
    COST,
    Cost,
    WeakPassword,
    check,
    generated,
    hashed,
    is_outdated,
    is_right,
)

CHEAP = Cost(passes=1, memory_kib=8)


def test_only_the_password_is_right() -> None:
    kept = hashed("eye of the lake", CHEAP)
    assert kept.startswith("$argon2id$")
    assert is_right("eye of the lake", kept)
    assert not is_right("eye of the lakes", kept)
    assert not is_right("eye of the lake", "scrypt:14:8:5:AA==:AA==")
    assert hashed("eye of the lake", CHEAP) != kept, "salted"


def test_the_cost_is_owasps_and_a_cheaper_hash_is_replaced() -> None:
    kept = hashed("eye of the lake")
    assert "m=19456,t=2,p=1" in kept
    assert (is_outdated(kept), is_outdated(hashed("eye of the lake", CHEAP))) == (False, True)
    assert (COST.memory_kib, COST.passes) == (19_456, 2)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short one", "password-length"),
        ("x" * 201, "password-length"),
        ("aaaaaaaaaaaaaa", "password-simple"),
        ("abababababab", "password-simple"),
        ("Achieng was here", "password-simple"),
    ],
)
def test_what_would_be_guessed_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPassword, match=why):
        check(password, name="achieng")


def test_what_is_printed_is_strong_and_never_the_same() -> None:
    made = {generated() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        check(each, name="achieng")
