"""A code works once, for three days, for one key; and nobody learns it from the hub's store."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from services.hub import enrolment as module
from services.hub.application import create_hub
from services.hub.enrolment import VALID_MS, EnrolmentRefused, issue, redeem, revoke
from services.hub.runtime import Hub
from services.hub.tables import enrolment, site
from services.store.clock import now_ms


def key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def word_of(hub: Hub, name: str = "Siaya") -> str:
    with hub.db.write() as tx:
        return issue(tx, name, "https://hub.example.org", "pin").rpartition("#")[2].partition(".")[0]


def test_a_code_says_where_and_what_to_pin(hub: Hub) -> None:
    with hub.db.write() as tx:
        code = issue(tx, "Siaya", "https://hub.example.org:8443", "W2Zvfi3Ka3CTM_olbn8vzQ")
        bare = issue(tx, "Siaya", "https://hub.example.org", "")
        words = {word.partition(".")[0] for word in (code.rpartition("#")[2], bare.rpartition("#")[2])}
        kept = tx.execute(sa.select(enrolment.c.secret_sha256)).scalars().all()
    assert code.startswith("https://hub.example.org:8443#")
    assert code.endswith(".W2Zvfi3Ka3CTM_olbn8vzQ")
    assert "." not in bare.rpartition("#")[2]
    assert len(words) == 2
    assert not {word.encode() for word in words} & {bytes(value) for value in kept}, "only a hash is kept"


def test_a_code_makes_one_site(hub: Hub) -> None:
    word, mine = word_of(hub), key()
    with hub.db.write() as tx:
        first = redeem(tx, word, mine)
        assert redeem(tx, word, mine) == first, "the answer may have been lost on the way"
        with pytest.raises(EnrolmentRefused, match="used already"):
            redeem(tx, word, key())
        assert tx.execute(sa.select(sa.func.count()).select_from(site)).scalar_one() == 1
    assert (first.name, len(first.patient_key)) == ("Siaya", 32)


def test_all_sites_share_the_key_of_patients(hub: Hub) -> None:
    with hub.db.write() as tx:
        found = {redeem(tx, issue(tx, name, "", "")[1:], key()).patient_key for name in ("Siaya", "Bondo")}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("unknown", "not known here"),
        ("old", "too old"),
        ("short", "no Ed25519 key"),
        ("known", "another site's already"),
        ("revoked", "used already"),
    ],
)
def test_what_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch, spoil: str, complaint: str) -> None:
    word, mine = word_of(hub), key()
    if spoil == "unknown":
        word = word[:-1]
    if spoil == "short":
        mine = mine[:-1]
    with hub.db.write() as tx:
        if spoil == "known":
            redeem(tx, issue(tx, "Bondo", "", "")[1:], mine)
        if spoil == "revoked":
            assert revoke(tx, redeem(tx, word, mine).site_id)
            assert not revoke(tx, 99)
        if spoil == "old":
            later = now_ms() + VALID_MS + 1
            monkeypatch.setattr(module, "now_ms", lambda: later)
        with pytest.raises(EnrolmentRefused, match=complaint):
            redeem(tx, word, mine)


def test_one_of_many_keys_at_once_wins(hub: Hub) -> None:
    word = word_of(hub)

    def attempt(_: int) -> bool:
        try:
            with hub.db.write() as tx:
                redeem(tx, word, key())
        except EnrolmentRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    assert hub.db.is_sqlite
    return create_hub().test_client()


def test_the_door_of_enrolment(hub: Hub, client: FlaskClient) -> None:
    body = {"code": word_of(hub), "public_key": b64encode(key()).decode()}
    answer = client.post("/enrol", json=body)
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["site"], answer.json["name"]) == (1, "Siaya")
    again = client.post("/enrol", json=body | {"public_key": b64encode(key()).decode()})
    assert (again.status_code, again.json) == (403, {"error": "this code was used already: ask for a new one"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        json.dumps({"code": "x"}).encode(),
        json.dumps({"code": "x", "public_key": "*"}).encode(),
        json.dumps({"code": "x", "public_key": b64encode(os.urandom(3000)).decode()}).encode(),
    ],
)
def test_no_enrolment_at_all(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/enrol", data=body)
    assert (answer.status_code, answer.json) == (400, {"error": "an enrolment has a code and a public key"})
