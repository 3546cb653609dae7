"""Who is on the phone: health workers, and the language and trust of every caller."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import Kind
from services.settings import current
from services.store.clock import HOUR_MS, now_ms
from services.store.database import insert_once
from services.store.phones import number_of, remember
from services.store.rows import opened
from services.store.sealing import phone_token, seal, unseal
from services.store.tables import caller, opt_out, screening, worker

WRONG_CODES_ALLOWED = 5
_LOCK_MS = HOUR_MS
_KNOWN = sa.select(
    sa.select(worker.c.name).where(worker.c.msisdn == sa.bindparam("number"), worker.c.active).scalar_subquery(),
    sa.select(caller.c.language).where(caller.c.msisdn == sa.bindparam("number")).scalar_subquery(),
)


def add_worker(tx: Connection, *, msisdn: str, name: str, language: str | None = None) -> bool:
    """Makes a number a health worker's. False if it already was (the name is then updated)."""
    sealed = seal(worker.c.name, remember(tx, msisdn), name)
    added = (
        insert_once(tx, worker, {"msisdn": msisdn, "name": sealed, "added_at": now_ms()}, key=("msisdn",)) is not None
    )
    if not added:
        tx.execute(worker.update().where(worker.c.msisdn == msisdn).values(name=sealed, active=True))
    if language is not None:
        set_language(tx, msisdn=msisdn, language=language)
    return added


def remove_worker(tx: Connection, *, msisdn: str) -> bool:
    """Takes the role away; what the worker did stays on record. False if no such worker is active."""
    changed = tx.execute(worker.update().where(worker.c.msisdn == msisdn, worker.c.active).values(active=False))
    return changed.rowcount > 0


def workers(tx: Connection) -> list[dict[str, Any]]:
    """Every worker, oldest first."""
    rows = tx.execute(sa.select(worker.c.msisdn, worker.c.name, worker.c.active).order_by(worker.c.id)).all()
    return [{"msisdn": number_of(tx, row.msisdn) or "", "name": worker_name(row), "active": row.active} for row in rows]


def worker_name(row: Any) -> str:
    """The name of a health worker, by `msisdn` and `name` of her row."""
    return opened(worker.c.name, row)


def worker_id(tx: Connection, msisdn: str) -> int | None:
    """The active health worker of this number, if there is one."""
    return tx.execute(sa.select(worker.c.id).where(worker.c.msisdn == msisdn, worker.c.active)).scalar()


def caller_for(tx: Connection, msisdn: str) -> dict[str, Any]:
    """What a conversation needs to know of a number: `{"worker": bool, "name": str, "language": str | None}`."""
    known, language = tx.execute(_KNOWN, {"number": msisdn}).one()
    name = "" if known is None else unseal(worker.c.name, phone_token(msisdn), known)
    return {"worker": known is not None, "name": name, "language": language}


def who_helps(tx: Connection, *, msisdn: str) -> dict[str, Any]:
    """Whom a caller is put through to: `{"phone"}`, the health worker who screened her last, while she is one, else the
    clinic's phone, which may be empty."""
    theirs = tx.execute(
        sa.select(worker.c.msisdn, worker.c.active)
        .join(screening, screening.c.worker_id == worker.c.id)
        .where(screening.c.patient_msisdn == msisdn)
        .order_by(screening.c.id.desc())
        .limit(1)
    ).first()
    if theirs is not None and theirs.active and theirs.msisdn != phone_token(msisdn):
        phone = number_of(tx, theirs.msisdn)
        if phone is not None:
            return {"phone": phone}
    return {"phone": current().clinic_phone}


def set_language(tx: Connection, *, msisdn: str, language: str) -> dict[str, Any]:
    """Remembers the language a number chose."""
    _ensure(tx, msisdn)
    tx.execute(caller.update().where(caller.c.msisdn == msisdn).values(language=language, updated_at=now_ms()))
    return {}


def opt_out_of(tx: Connection, *, msisdn: str, kind: str) -> dict[str, Any]:
    """STOP: no more unasked messages of this kind to this number. `{"changed": bool}`: false if it was said before."""
    row = {"msisdn": msisdn, "kind": Kind(kind).value, "at": now_ms()}
    return {"changed": insert_once(tx, opt_out, row, key=("msisdn", "kind")) is not None}


def opt_in_to(tx: Connection, *, msisdn: str, kind: str) -> dict[str, Any]:
    """START: takes a STOP back. `{"changed": bool}`: false if there was none."""
    deleted = tx.execute(opt_out.delete().where(opt_out.c.msisdn == msisdn, opt_out.c.kind == kind))
    return {"changed": deleted.rowcount > 0}


def has_opted_out(tx: Connection, *, msisdn: str, kind: str) -> bool:
    """Whether this number said STOP to this kind of message."""
    return (
        tx.execute(sa.select(opt_out.c.id).where(opt_out.c.msisdn == msisdn, opt_out.c.kind == kind)).first()
        is not None
    )


def can_be_written_to(tx: Connection, msisdn: str | None) -> bool:
    """Whether a patient may be sent an SMS. A worker's own number, typed in for who has none, reaches nobody."""
    return msisdn is not None and worker_id(tx, msisdn) is None and not has_opted_out(tx, msisdn=msisdn, kind=Kind.SMS)


def is_locked(tx: Connection, msisdn: str) -> bool:
    """Whether a number guessed too many codes lately."""
    until = tx.execute(sa.select(caller.c.locked_until).where(caller.c.msisdn == msisdn)).scalar()
    return until is not None and until > now_ms()


def count_wrong_code(tx: Connection, msisdn: str) -> None:
    """One more wrong code: after five the number is locked for an hour, since codes can be guessed."""
    _ensure(tx, msisdn)
    wrong = 1 + (tx.execute(sa.select(caller.c.wrong_codes).where(caller.c.msisdn == msisdn)).scalar() or 0)
    values: dict[str, Any] = {"wrong_codes": wrong, "updated_at": now_ms()}
    if wrong >= WRONG_CODES_ALLOWED:
        values |= {"wrong_codes": 0, "locked_until": now_ms() + _LOCK_MS}
    tx.execute(caller.update().where(caller.c.msisdn == msisdn).values(values))


def forgive_wrong_codes(tx: Connection, msisdn: str) -> None:
    """A right code clears the count."""
    tx.execute(caller.update().where(caller.c.msisdn == msisdn, caller.c.wrong_codes > 0).values(wrong_codes=0))


def _ensure(tx: Connection, msisdn: str) -> None:
    insert_once(tx, caller, {"msisdn": msisdn, "updated_at": now_ms()}, key=("msisdn",))
