"""What a health worker's phone hands over from its web app: screenings, photographs, and what it made of them itself.

Each is named by the phone and taken once, however often it comes. Our own model reads the photographs again: what
it says is what counts.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from services.channels.base import Kind
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening import people
from services.screening.cases import finish_with_one_eye, open_screening, read_when_complete
from services.screening.codes import code_of
from services.settings import current
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms
from services.store.database import insert_once
from services.store.sealing import NOTHING
from services.store.tables import app_code, app_device, app_reading, app_screening, inbound, photo, screening, worker

CHANNEL = "app"
MOST_BYTES, LONGEST, QUALITIES = 300_000, 1600, (0.9, 0.8, 0.7, 0.6)
"""How a phone makes a larger photograph smaller, before it reads it: pixels of the longest side, then the first quality
of a JPEG with which it is small enough. It reads what it sends, so both sides have the same picture."""
_CODE_MS = 10 * MINUTE_MS
_CODES_AN_HOUR = 3


class NotTaken(Exception):
    """What came cannot be taken, and would not be if it came again; says why."""


def send_code(tx: Connection, msisdn: str) -> None:
    """Sends a health worker's number a code of six digits, for ten minutes, three an hour; nobody else's anything."""
    worker_id = people.worker_id(tx, msisdn)
    if worker_id is None or people.is_locked(tx, msisdn):
        return
    recent = sa.select(sa.func.count()).where(
        app_code.c.worker_id == worker_id, app_code.c.asked_at > now_ms() - HOUR_MS
    )
    if tx.execute(recent).scalar_one() >= _CODES_AN_HOUR:
        return
    code = str(secrets.randbelow(900_000) + 100_000)
    row = {"worker_id": worker_id, "sha256": _sha256(f"{msisdn}:{code}"), "asked_at": now_ms()}
    number = tx.execute(app_code.insert().values(row).returning(app_code.c.id)).scalar_one()
    language = people.caller_for(tx, msisdn)["language"] or current().language
    words = text(language, "app-code", code=code)
    post(
        tx, Kind.SMS, msisdn, words, key=f"app-code:{number}", purpose="app-code", language=language, useful_ms=_CODE_MS
    )


def enrol(tx: Connection, msisdn: str, code: str) -> str | None:
    """The token of a new device for the newest code that was sent to this number; None for a wrong, old or used one.
    Wrong codes are counted, and too many lock the number."""
    worker_id = people.worker_id(tx, msisdn)
    if worker_id is None or people.is_locked(tx, msisdn):
        return None
    newest = sa.select(app_code).where(app_code.c.worker_id == worker_id).order_by(app_code.c.id.desc()).limit(1)
    row = tx.execute(newest).first()
    fresh = row is not None and row.used_at is None and row.asked_at > now_ms() - _CODE_MS
    if row is None or not fresh or not secrets.compare_digest(row.sha256, _sha256(f"{msisdn}:{code}")):
        people.count_wrong_code(tx, msisdn)
        return None
    people.forgive_wrong_codes(tx, msisdn)
    tx.execute(app_code.update().where(app_code.c.id == row.id).values(used_at=now_ms()))
    token = secrets.token_urlsafe(32)
    tx.execute(app_device.insert().values(worker_id=worker_id, token_sha256=_sha256(token), enrolled_at=now_ms()))
    return token


def device_of(tx: Connection, token: str) -> Any:
    """The device of a token, with its worker's `msisdn` and when it was `revoked_at`; None when there is none or she is
    no worker any more."""
    return tx.execute(
        sa.select(app_device.c.id, app_device.c.revoked_at, app_device.c.seen_at, worker.c.msisdn)
        .join(worker, worker.c.id == app_device.c.worker_id)
        .where(app_device.c.token_sha256 == _sha256(token), worker.c.active)
    ).first()


def take_screening(tx: Connection, device: Any, ref: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Opens a screening that a phone opened, once: `{"code"}`. `given` is checked at the door; consent was read on the
    phone in the worker's language. Raises NotTaken for one whose consent was taken back here meanwhile."""
    known = screening_of(tx, device, ref)
    if known is None:
        opened = open_screening(
            tx,
            worker=device.msisdn,
            sex=given["sex"],
            birth_year=given["birth_year"],
            phone=given["phone"],
            language=given["language"],
            consent_version=given["consent"],
            channel=CHANNEL,
            priority="urgent" if given["urgent"] else "routine",
        )
        screening_id = tx.execute(sa.select(screening.c.id).where(screening.c.code == opened["code"])).scalar_one()
        row = {"app_device_id": device.id, "ref": ref, "screening_id": screening_id, "one_eye": given["one_eye"]}
        tx.execute(app_screening.insert().values(row))
        return {"code": opened["code"]}
    if known.state == "withdrawn":
        raise NotTaken("consent was taken back")
    if given["one_eye"] and known.state == "open":
        tx.execute(app_screening.update().where(app_screening.c.screening_id == known.id).values(one_eye=True))
        finish_with_one_eye(tx, code=code_of(known), worker=device.msisdn)
    return {"code": code_of(known)}


def take_photograph(
    site: Runtime, device: Any, ref: str, photo_ref: str, *, eye: str, content: bytes, read: Mapping[str, Any]
) -> None:
    """Keeps a photograph of a screening that was handed over, with the phone's reading of it, and has it read here;
    once. Raises NotTaken, and OSError when the disk refuses."""
    sha256 = site.media.receive(content)
    with site.db.write() as tx:
        known = screening_of(tx, device, ref)
        if known is None or known.state == "withdrawn":
            raise NotTaken("no such screening")
        row = {
            "carrier": CHANNEL,
            "provider_id": f"{device.id}:{photo_ref}",
            "kind": CHANNEL,
            "sender": device.msisdn,
            "recipient": "",
            "text": NOTHING,
            "received_at": now_ms(),
        }
        inbound_id = insert_once(tx, inbound, row, key=("carrier", "provider_id"))
        if inbound_id is None:
            return
        row = {
            "inbound_id": inbound_id,
            "position": 0,
            "sender": device.msisdn,
            "mime_type": "image/jpeg",
            "locator": "",
            "expected_sha256": "",
            "sha256": sha256,
            "screening_id": known.id,
            "eye": eye,
            "state": "attached",
            "received_at": now_ms(),
        }
        photo_id = tx.execute(photo.insert().values(row).returning(photo.c.id)).scalar_one()
        row = {"photo_id": photo_id, "screening_id": known.id, "content": dict(read), "taken_at": now_ms()}
        tx.execute(app_reading.insert().values(row))
        read_when_complete(tx, photo_id)


def screening_of(tx: Connection, device: Any, ref: str) -> Any:
    return tx.execute(
        sa.select(screening)
        .join(app_screening, app_screening.c.screening_id == screening.c.id)
        .where(app_screening.c.app_device_id == device.id, app_screening.c.ref == ref)
    ).first()


def _sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
