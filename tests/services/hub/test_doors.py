"""Only an enrolled site gets in, by its own signature over exactly what it asks."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from results import result

from services.hub import application
from services.hub.application import create_hub
from services.hub.enrolment import issue, redeem, revoke
from services.hub.runtime import Hub
from services.sync.batch import VERSION, Batch, Event, decode_answer, encode
from services.sync.identity import Identity

BODY = encode(Batch([Event(3, "result", 1, result())]))


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    assert hub.db.is_sqlite
    return create_hub().test_client()


@pytest.fixture
def site(hub: Hub) -> Identity:
    key = Ed25519PrivateKey.generate()
    with hub.db.write() as tx:
        told = redeem(tx, issue(tx, "Siaya", "", "")[1:], key.public_key().public_bytes_raw())
    return Identity(told.site_id, told.name, "https://hub", "", key.private_bytes_raw(), told.patient_key)


def post(client: FlaskClient, proof: str, body: bytes = BODY, path: str = "/sync/batches") -> tuple[int, str]:
    answer = client.post(path, data=body, headers={"Authorization": proof})
    return answer.status_code, (answer.json or {}).get("error", "")


def test_a_signed_batch_is_answered(client: FlaskClient, site: Identity) -> None:
    proof = site.authorization("POST", "/sync/batches", BODY)
    for _ in range(2):
        answer = client.post("/sync/batches", data=BODY, headers={"Authorization": proof})
        assert answer.status_code == 200
        assert decode_answer(answer.data).highest_seq == 3


def test_what_was_signed_is_what_is_asked(client: FlaskClient, site: Identity) -> None:
    other = Identity(site.site, "", "", "", Ed25519PrivateKey.generate().private_bytes_raw(), b"")
    for proof in (
        site.authorization("GET", "/sync/batches", BODY),
        site.authorization("POST", "/sync/batche", BODY),
        site.authorization("POST", "/sync/batches?x=1", BODY),
        site.authorization("POST", "/sync/batches", BODY + b"x"),
        other.authorization("POST", "/sync/batches", BODY),
    ):
        assert post(client, proof) == (401, "the signature is not this site's")
    signed = site.authorization("POST", "/sync/batches?x=1", BODY)
    assert post(client, signed, path="/sync/batches?x=1")[0] == 200


@pytest.mark.parametrize(
    "proof",
    ["", "Jicho", "Jicho 1", "Jicho 1.", "Basic 1." + "A" * 86, "Jicho x." + "A" * 86, "Jicho ٣." + "A" * 86,
     "Jicho 1." + "A" * 85, "Jicho 1." + "Ä" * 86, "Jicho " + "9" * 19 + "." + "A" * 86, "Jicho -1." + "A" * 86],
)  # fmt: skip
def test_no_proof_at_all(client: FlaskClient, proof: str) -> None:
    status, reason = post(client, proof)
    assert (status, reason.partition(":")[0]) == (401, "a site signs its requests")


def test_a_stranger_and_a_revoked_site_stay_outside(client: FlaskClient, hub: Hub, site: Identity) -> None:
    stranger = Identity(77, "", "", "", site.key, b"")
    assert post(client, stranger.authorization("POST", "/sync/batches", BODY)) == (
        401,
        "this site is not enrolled here",
    )
    with hub.db.write() as tx:
        revoke(tx, site.site)
    assert post(client, site.authorization("POST", "/sync/batches", BODY)) == (403, "this site was revoked")


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"", 400, "an empty body"),
        (b"{}", 422, "a batch of version 123; this hub reads up to"),
        (bytes([VERSION]) + b"\xc1", 400, "not a batch"),
        (encode(Batch([Event(3, "visit", 1, {})])), 400, "not a visit"),
    ],
)
def test_a_body_that_is_no_batch(client: FlaskClient, site: Identity, body: bytes, status: int, complaint: str) -> None:
    got, reason = post(client, site.authorization("POST", "/sync/batches", body), body)
    assert (got, reason.startswith(complaint)) == (status, True), reason


def test_a_body_beyond_the_limit_is_not_read(client: FlaskClient, site: Identity) -> None:
    large = bytes(application.LARGEST_BODY + 1)
    assert post(client, site.authorization("POST", "/sync/batches", large), large)[0] == 413
