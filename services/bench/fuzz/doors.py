"""The gateway and the hub whole, on a real store: the first byte of an input chooses the door, the rest is what comes.

Where a carrier or a site signs what it sends, the input is signed rightly: what lies behind a signature is what breaks.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from services.bench.fuzz import parsers
from services.bench.fuzz.targets import Run

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_AT = ("ussd", "ussd-end", "sms", "delivery", "optout", "voice")
_GATEWAY_DOORS, _HUB_DOORS = len(_AT) + 5, 4


class Broken(Exception):
    """A door answered with an error of its own."""


def prepare(name: str) -> Run:
    """A door with a store of its own in the folder that FUZZ_FOLDER names."""
    folder = Path(os.environ["FUZZ_FOLDER"])
    os.environ |= {
        "JICHO_DATA_DIR": str(folder / "site"),
        "JICHO_HUB_DIR": str(folder / "hub"),
        "JICHO_KEYRING": str(folder / "site.keys.json"),
        "JICHO_HUB_KEYRING": str(folder / "hub.keys.json"),
        "JICHO_LOG_LEVEL": "ERROR",
    }
    os.chdir(folder)
    return _gateway() if name == "gateway" else _hub()


def seeds(name: str) -> list[bytes]:
    """The seeds of the parsers behind each door."""
    if name == "hub":
        batches = [bytes([0]) + seed for seed in parsers.seeds("batch")]
        return [
            *batches,
            b'\x01{"code":"a","public_key":"' + b"A" * 43 + b'="}',
            b"\x02" + parsers.seeds("photograph-metadata")[0],
        ]
    forms = parsers.seeds("africastalking")
    found = [bytes([door]) + form for door in range(len(_AT)) for form in forms]
    door = len(_AT)
    found += [bytes([door]) + seed for seed in parsers.seeds("whatsapp")]
    found += [bytes([door + 1]) + seed for seed in parsers.seeds("mm7")]
    found += [bytes([door + 2]) + seed for seed in parsers.seeds("twilio")]
    return [*found, bytes([door + 3]) + b'{"phone":"+254711000001"}', bytes([door + 4]) + b'{"code":"123456"}']


def _gateway() -> Run:
    from services import runtime
    from services.gateway.application import create_gateway
    from services.screening.people import add_worker
    from services.store.migrate import migrate

    site = runtime.current()
    migrate(site.db)
    with site.db.write() as tx:
        add_worker(tx, msisdn="+254711000001", name="Achieng", language="en")
    client, settings = create_gateway().test_client(), site.settings

    def whatsapp(body: bytes) -> Any:
        secret = settings.whatsapp_app_secret.get_secret_value().encode()
        signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return client.post("/whatsapp", data=body, content_type=_JSON, headers={"X-Hub-Signature-256": signature})

    def mm7(body: bytes) -> Any:
        content_type, _, rest = body.partition(b"\n")
        head = content_type.decode("latin-1").strip().replace("\r", "")
        return client.post(f"/mm7/{settings.mm7_token.get_secret_value()}", data=rest, content_type=head)

    def twilio(body: bytes) -> Any:
        from services.channels.twilio_mms import sign

        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        signature = sign(f"{settings.base_url}/twilio/mms", form, settings.twilio_auth_token.get_secret_value())
        return client.post("/twilio/mms", data=form, headers={"X-Twilio-Signature": signature})

    def at(door: str) -> Callable[[bytes], Any]:
        path = f"/at/{settings.at_token.get_secret_value()}/{door}"
        return lambda body: client.post(path, data=body, content_type=_FORM)

    doors = [
        *map(at, _AT),
        whatsapp,
        mm7,
        twilio,
        lambda body: client.post("/app/enrol/code", data=body, content_type=_JSON),
        lambda body: client.post("/app/enrol", data=body, content_type=_JSON),
    ]
    assert len(doors) == _GATEWAY_DOORS
    return _one_of(doors)


def _hub() -> Run:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from services.hub import runtime
    from services.hub.application import create_hub
    from services.hub.tables import METADATA, site
    from services.sync.identity import Identity

    hub, key = runtime.current(), Ed25519PrivateKey.generate()
    hub.db.create_missing(METADATA)
    row = {"name": "Siaya", "public_key": key.public_key().public_bytes_raw(), "enrolled_at": 0}
    with hub.db.write() as tx:
        number = tx.execute(site.insert().values(row).returning(site.c.id)).scalar_one()
    identity = Identity(number, "Siaya", "https://hub.example", "", key.private_bytes_raw(), bytes(32))
    client = create_hub().test_client()

    def batches(body: bytes) -> Any:
        signed = {"Authorization": identity.authorization("POST", "/sync/batches", body)}
        return client.post("/sync/batches", data=body, headers=signed)

    def enrol(body: bytes) -> Any:
        return client.post("/enrol", data=body, content_type=_JSON)

    def create(body: bytes) -> Any:
        head = body.decode("latin-1").replace("\r", "").replace("\n", "")
        signed = {"Authorization": identity.authorization("POST", "/files", b""), "Upload-Metadata": head}
        return client.post("/files", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "9", **signed})

    def login(body: bytes) -> Any:
        return client.post("/login", data=body, content_type=_FORM)

    doors = [batches, enrol, create, login]
    assert len(doors) == _HUB_DOORS
    return _one_of(doors)


def _one_of(doors: Sequence[Callable[[bytes], Any]]) -> Run:
    def run(data: bytes) -> None:
        if not data:
            return
        answer = doors[data[0] % len(doors)](data[1:])
        if answer.status_code >= 500:
            raise Broken(f"door {data[0] % len(doors)} answered {answer.status_code}: {answer.get_data()[:200]!r}")

    for door in range(len(doors)):  # imports what each needs, so that it is instrumented
        with suppress(Broken):
            run(bytes([door]))
    return run
