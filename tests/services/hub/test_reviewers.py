"""Passwords of earlier releases still open the hub, and are hashed anew at their first use."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import sqlalchemy as sa

from services.hub.reviewers import add, begin, listed
from services.hub.runtime import Hub
from services.hub.tables import reviewer


def scrypt(password: str) -> str:
    """As release 0.1 wrote it."""
    salt = bytes(range(16))
    found = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=5, maxmem=2**26, dklen=32)
    return f"scrypt:14:8:5:{b64encode(salt).decode()}:{b64encode(found).decode()}"


def kept(hub: Hub) -> str:
    with hub.db.read() as tx:
        found: str = tx.execute(sa.select(reviewer.c.password)).scalar_one()
        return found


def test_an_older_password_opens_and_becomes_argon2(hub: Hub) -> None:
    with hub.db.write() as tx:
        add(tx, "Atieno", "reviewer")
        tx.execute(reviewer.update().values(password=scrypt("the old one")))
    assert begin(hub.db, "Atieno", "another one") is None
    assert kept(hub).startswith("scrypt:")
    assert begin(hub.db, "Atieno", "the old one") is not None
    assert kept(hub).startswith("$argon2id$")
    assert begin(hub.db, "Atieno", "the old one") is not None
    assert begin(hub.db, "Atieno", "another one") is None
    with hub.db.read() as tx:
        assert [each["name"] for each in listed(tx)] == ["Atieno"]
