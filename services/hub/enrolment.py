"""How a site becomes known: a code that works once, for three days, and of which only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.audit import LOG
from services.hub.tables import enrolment, secret, site
from services.store.audit import SYSTEM, by_command
from services.store.clock import DAY_MS, now_ms
from services.store.database import one_at_a_time
from services.store.sealing import seal_bytes, unseal_bytes

VALID_MS = 3 * DAY_MS
PATIENT_KEY = "patient-key"
_SECRET_BYTES = 15  # 120 bits: nobody guesses one, so that wrong ones need no counting
_PUBLIC_KEY_BYTES = 32


class EnrolmentRefused(Exception):
    """A code that is unknown, used or too old, or a key that is none. The text says which."""


@dataclass(frozen=True)
class Enrolled:
    """What a site is told: its number and name, and the key under which phone numbers become patient keys."""

    site_id: int
    name: str
    patient_key: bytes


def issue(tx: Connection, name: str, url: str, pin: str) -> str:
    """A new one-time code for a site: where the hub is, the secret, and what to pin."""
    word = urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    now = now_ms()
    tx.execute(
        enrolment.insert().values(name=name, secret_sha256=_hash(word), created_at=now, expires_at=now + VALID_MS)
    )
    LOG.record(tx, by_command(), "site-invited", f"invitation:{name}")
    return f"{url}#{word}.{pin}" if pin else f"{url}#{word}"


def redeem(tx: Connection, word: str, public_key: bytes) -> Enrolled:
    """Makes a key (Ed25519, 32 bytes) a site's. Raises EnrolmentRefused.

    The same key may ask again with the same code: the link may have taken the first answer away.
    """
    if len(public_key) != _PUBLIC_KEY_BYTES:
        raise EnrolmentRefused("this is no Ed25519 key")
    one_at_a_time(tx, "enrolment")
    row = tx.execute(sa.select(enrolment).where(enrolment.c.secret_sha256 == _hash(word))).first()
    if row is None:
        raise EnrolmentRefused("this code is not known here")
    if row.site_id is not None:
        known = tx.execute(sa.select(site.c.public_key, site.c.revoked_at).where(site.c.id == row.site_id)).one()
        if known.public_key != public_key or known.revoked_at is not None:
            raise EnrolmentRefused("this code was used already: ask for a new one")
        return Enrolled(row.site_id, row.name, patient_key(tx))
    if row.expires_at < now_ms():
        raise EnrolmentRefused("this code is too old: ask for a new one")
    if tx.execute(sa.select(site.c.id).where(site.c.public_key == public_key)).first():
        raise EnrolmentRefused("this key is another site's already")
    values = {"name": row.name, "public_key": public_key, "enrolled_at": now_ms()}
    number = tx.execute(site.insert().values(values).returning(site.c.id)).scalar_one()
    tx.execute(enrolment.update().where(enrolment.c.id == row.id).values(site_id=number))
    LOG.record(tx, SYSTEM, "site-enrolled", f"site:{number}")
    return Enrolled(number, row.name, patient_key(tx))


def revoke(tx: Connection, site_id: int) -> bool:
    """Refuses a site from now on; what it sent stays. False if no such site was admitted."""
    changed = tx.execute(
        site.update().where(site.c.id == site_id, site.c.revoked_at.is_(None)).values(revoked_at=now_ms())
    )
    if changed.rowcount:
        LOG.record(tx, by_command(), "site-revoked", f"site:{site_id}")
    return changed.rowcount > 0


def patient_key(tx: Connection) -> bytes:
    """The key that all sites of this hub share, made when it is first asked for; in a transaction that may write."""
    one_at_a_time(tx, PATIENT_KEY)
    found: bytes | None = tx.execute(sa.select(secret.c.value).where(secret.c.name == PATIENT_KEY)).scalar()
    if found is None:
        found = secrets.token_bytes(32)
        sealed = seal_bytes(secret.c.value, PATIENT_KEY, found)
        tx.execute(secret.insert().values(name=PATIENT_KEY, value=sealed))
        return found
    return unseal_bytes(secret.c.value, PATIENT_KEY, found)


def _hash(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()
