"""What is no longer needed is erased unasked, once a day: photographs and words, and later who it was.

What stays is pseudonymous: that somebody of this sex, born in this year, was screened by this health worker on this
day, with what outcome. Nothing goes that is still waited for.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.runtime import Runtime
from services.store import audit
from services.store.clock import DAY_MS, now_ms
from services.store.schema import forget_open
from services.store.sealing import NOTHING
from services.store.tables import (
    caller,
    consent,
    conversation,
    follow_up,
    inbound,
    message,
    phone_number,
    photo,
    photo_upload,
    reading,
    referral,
    risk_assessment,
    screening,
    worker,
)
from services.sync.marks import mark, raise_mark

_LOG = logging.getLogger(__name__)
_MARK = "retention-at"
_AT_ONCE = 500
_ON_ITS_WAY = ("chosen", "ready", "sending")


@dataclass(frozen=True)
class Erased:
    """How much of each was erased."""

    photographs: int
    words: int
    people: int
    numbers: int


def erase_daily(site: Runtime) -> Erased | None:
    """Erases what is due, at most once a day. None if that was done already. Raises OSError when the disk refuses."""
    with site.db.read() as tx:
        if mark(tx, _MARK) > now_ms() - DAY_MS:
            return None
    forget_open(site.db)
    done = erase_old(site)
    with site.db.write() as tx:
        raise_mark(tx, _MARK, now_ms())
        if any(asdict(done).values()):
            audit.record(tx, audit.SYSTEM, "retention", **asdict(done))
    return done


def erase_old(site: Runtime) -> Erased:
    """Erases photographs and words older than `JICHO_KEEP_DAYS`, and who it was after `JICHO_KEEP_PEOPLE_DAYS`."""
    now = now_ms()
    before, long_before = now - site.settings.keep_days * DAY_MS, now - site.settings.keep_people_days * DAY_MS
    photographs = _erase_photographs(site, before)
    with site.db.write() as tx:
        words = _erase_words(tx, before)
    with site.db.write() as tx:
        people = _erase_people(tx, long_before)
        numbers = _erase_numbers(tx, long_before)
    return Erased(photographs, words, people, numbers)


def _erase_photographs(site: Runtime, before: int) -> int:
    done = 0
    while True:
        with site.db.read() as tx:
            waits = sa.select(photo_upload.c.photo_id).where(photo_upload.c.state.in_(_ON_ITS_WAY))
            old = (
                sa.select(photo.c.id, photo.c.sha256, reading.c.heatmap)
                .outerjoin(reading, reading.c.photo_id == photo.c.id)
                .where(photo.c.received_at < before, photo.c.sha256.is_not(None), photo.c.id.not_in(waits))
            )
            rows = tx.execute(old.order_by(photo.c.id).limit(_AT_ONCE)).all()
            files = {sha256 for row in rows for sha256 in (row.sha256, row.heatmap) if sha256}
            # Stored once by what they contain: the same picture may have come again since.
            kept = sa.select(photo.c.sha256).where(photo.c.sha256.in_(files), photo.c.id.not_in([r.id for r in rows]))
            files -= set(tx.execute(kept).scalars())
        if not rows:
            return done
        for sha256 in files:
            site.media.erase(sha256)
        ids = [row.id for row in rows]
        with site.db.write() as tx:
            gone = {"sha256": None, "expected_sha256": "", "locator": ""}
            tx.execute(photo.update().where(photo.c.id.in_(ids)).values(gone))
            tx.execute(reading.update().where(reading.c.photo_id.in_(ids)).values(heatmap=None))
        done += len(rows)


def _erase_words(tx: Connection, before: int) -> int:
    talks = tx.execute(conversation.delete().where(conversation.c.updated_at < before)).rowcount
    sent = _empty(tx, message, message.c.created_at < before, {"text": NOTHING, "buttons": NOTHING})
    return talks + sent + _empty(tx, inbound, inbound.c.received_at < before, {"text": NOTHING})


def _empty(tx: Connection, table: sa.Table, old: Any, values: dict[str, Any]) -> int:
    return tx.execute(table.update().where(old, sa.cast(table.c.text, sa.Text) != "").values(values)).rowcount


def _erase_people(tx: Connection, before: int) -> int:
    waited_for = [
        sa.exists().where(table.c.screening_id == screening.c.id, table.c.next_at.is_not(None))
        for table in (referral, follow_up)
    ]
    old = sa.select(screening.c.id).where(
        screening.c.opened_at < before, sa.cast(screening.c.code_sealed, sa.Text) != "", *(~each for each in waited_for)
    )
    ids = tx.execute(old).scalars().all()
    for number in ids:
        # The code is free again; what opened this screening opens nothing.
        nobody = {"code": f"erased-{number}", "code_sealed": NOTHING, "patient_msisdn": None}
        tx.execute(screening.update().where(screening.c.id == number).values(nobody))
        tx.execute(consent.update().where(consent.c.screening_id == number).values(msisdn=None))
    tx.execute(risk_assessment.update().where(risk_assessment.c.answered_at < before).values(msisdn=None))
    tx.execute(message.update().where(message.c.created_at < before).values(recipient=""))
    tx.execute(inbound.update().where(inbound.c.received_at < before).values(sender=""))
    tx.execute(photo.update().where(photo.c.received_at < before).values(sender=""))
    return len(ids)


def _erase_numbers(tx: Connection, before: int) -> int:
    tx.execute(caller.delete().where(caller.c.updated_at < before))
    token = phone_number.c.token
    needed = [
        sa.exists().where(column == token)
        for column in (
            worker.c.msisdn,
            caller.c.msisdn,
            screening.c.patient_msisdn,
            message.c.recipient,
            inbound.c.sender,
            photo.c.sender,
            risk_assessment.c.msisdn,
        )
    ]
    old = phone_number.delete().where(phone_number.c.added_at < before, *(~each for each in needed))
    return tx.execute(old).rowcount
