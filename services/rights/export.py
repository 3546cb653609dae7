"""Everything that is kept of a person, in a file that she can be given: readable JSON, with her photographs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.durable import write_durably
from services.runtime import Runtime
from services.screening.codes import code_of
from services.screening.people import worker_name
from services.store import audit
from services.store.audit import Actor
from services.store.rows import opened, opened_json
from services.store.sealing import phone_token
from services.store.tables import (
    caller,
    consent,
    conversation,
    follow_up,
    inbound,
    message,
    opt_out,
    photo,
    reading,
    referral,
    review,
    risk_assessment,
    screening,
    worker,
)

_TECHNICAL = frozenset({"id", "screening_id", "worker_id", "facility_id", "dedupe_key", "provider_id", "next_at"})
_SEALED = frozenset({"msisdn", "patient_msisdn", "sender", "recipient", "code", "code_sealed", "text", "buttons"})


def export(site: Runtime, msisdn: str, target: Path, actor: Actor) -> dict[str, int]:
    """Writes `target`, a zip file, readable by this user alone: `person.json` and her photographs. How much of each
    kind is in it. Raises OSError, services.store.keyring.NotOurs."""
    token = phone_token(msisdn)
    with site.db.read() as tx:
        found = _person(tx, msisdn, token)
        files = dict(_files(tx, token))
    write_durably(target, _zip(site, found, files), mode=0o600)
    counts = {name: len(value) for name, value in found.items() if isinstance(value, list)}
    with site.db.write() as tx:
        audit.record(tx, actor, "export", token, **counts)
    return counts


def _person(tx: Connection, msisdn: str, token: str) -> dict[str, Any]:
    known = tx.execute(sa.select(caller).where(caller.c.msisdn == token)).first()
    hers = sa.select(worker).where(worker.c.msisdn == token)
    works = tx.execute(hers).first()
    # What a health worker typed and was told is about her patients: of that she gets when and how, not what.
    words = works is None
    return {
        "phone": msisdn,
        "language": known.language if known else None,
        "health_worker": worker_name(works) if works else None,
        "stopped": [_plain(row) for row in tx.execute(sa.select(opt_out).where(opt_out.c.msisdn == token))],
        "screenings": [
            _screening(tx, row)
            for row in tx.execute(
                sa.select(screening).where(screening.c.patient_msisdn == token).order_by(screening.c.id)
            ).all()
        ],
        "risk_questions": [
            _plain(row) for row in tx.execute(sa.select(risk_assessment).where(risk_assessment.c.msisdn == token))
        ],
        "told": [
            _plain(row) | ({"text": opened(message.c.text, row)} if words else {})
            for row in tx.execute(sa.select(message).where(message.c.recipient == token).order_by(message.c.id)).all()
        ],
        "written": [
            _plain(row) | ({"text": opened(inbound.c.text, row)} if words else {})
            for row in tx.execute(sa.select(inbound).where(inbound.c.sender == token).order_by(inbound.c.id)).all()
        ],
        "conversations": [
            _plain(row) | (_words(row) if words else {})
            for row in tx.execute(
                sa.select(conversation).where(conversation.c.msisdn == token).order_by(conversation.c.id)
            ).all()
        ],
    }


def _screening(tx: Connection, case: Any) -> dict[str, Any]:
    by = tx.execute(sa.select(worker).where(worker.c.id == case.worker_id)).one()

    def of_case(table: sa.Table) -> list[dict[str, Any]]:
        return [
            _plain(row)
            for row in tx.execute(sa.select(table).where(table.c.screening_id == case.id).order_by(table.c.id))
        ]

    return _plain(case) | {
        "code": code_of(case),
        "health_worker": worker_name(by),
        "consents": of_case(consent),
        "photographs": [
            {"file": _name(row.sha256) if row.sha256 else None, "eye": row.eye, "received_at": _at(row.received_at)}
            for row in tx.execute(sa.select(photo).where(photo.c.screening_id == case.id).order_by(photo.c.id))
        ],
        "readings": of_case(reading),
        "reviews": of_case(review),
        "referrals": of_case(referral),
        "invitations": of_case(follow_up),
    }


def _words(row: Any) -> dict[str, Any]:
    content = opened_json(conversation.c.content, row) or {}
    return {"answers": content.get("journal", []), "said_last": content.get("said", "")}


def _plain(row: Any) -> dict[str, Any]:
    kept = {name: value for name, value in row._mapping.items() if name not in _TECHNICAL | _SEALED | {"content"}}
    return {name: _at(value) if name == "at" or name.endswith("_at") else value for name, value in kept.items()}


def _at(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def _files(tx: Connection, token: str) -> Iterator[tuple[str, str]]:
    """Names in the zip file and in the store of media."""
    of_hers = photo.c.screening_id.in_(sa.select(screening.c.id).where(screening.c.patient_msisdn == token))
    shown = sa.select(photo.c.sha256, reading.c.heatmap).outerjoin(reading, reading.c.photo_id == photo.c.id)
    for row in tx.execute(shown.where(of_hers)):
        yield from ((_name(sha256), sha256) for sha256 in (row.sha256, row.heatmap) if sha256)


def _name(sha256: str) -> str:
    return f"photographs/{sha256[:16]}.jpg"


def _zip(site: Runtime, found: dict[str, Any], files: dict[str, str]) -> bytes:
    from io import BytesIO

    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", json.dumps(found, indent=1, ensure_ascii=False))
        for name, sha256 in files.items():
            try:
                archive.writestr(name, site.media.content(sha256))
            except FileNotFoundError:
                continue  # it was erased by then, or never came
    return packed.getvalue()
