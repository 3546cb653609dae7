"""What becomes later of what a phone kept and handed over: consents taken back there, outcomes from here, phones that
are closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.result import verdict_of
from services.screening.cases import told
from services.screening.codes import code_of
from services.screening.people import worker_name
from services.screening.pocket import CHANNEL, screening_of
from services.screening.reviews import has_to_come_again
from services.screening.withdrawal import withdraw_consent
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.tables import app_device, app_screening, screening, worker

_NEWS_MS = 120 * DAY_MS  # verdicts come within weeks


@dataclass(frozen=True)
class Phone:
    """A phone that was enrolled, as the operator knows it: by its number here and whose it is."""

    number: int
    worker: str
    enrolled_at: int
    seen_at: int | None
    revoked_at: int | None
    screenings: int


def withdraw(tx: Connection, device: Any, ref: str) -> None:
    """Takes a consent back that was given on this phone. What never came, or was taken back before, is left alone."""
    known = screening_of(tx, device, ref)
    if known is not None and known.state != "withdrawn":
        withdraw_consent(tx, code=code_of(known), msisdn=device.msisdn, by="worker", channel=CHANNEL)


def news(tx: Connection, device: Any) -> dict[str, Any]:
    """What became of a phone's screenings of the last months, by the names that it gave them: `{"withdrawn", "outcome",
    "reviewed", "says"}`. `says` has the sentences, by id and parameters."""
    rows = tx.execute(
        sa.select(app_screening.c.ref, screening)
        .join(screening, screening.c.id == app_screening.c.screening_id)
        .where(app_screening.c.app_device_id == device.id, screening.c.opened_at > now_ms() - _NEWS_MS)
        .order_by(screening.c.id)
    ).all()
    return {row.ref: _told(tx, row) for row in rows}


def _told(tx: Connection, case: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"withdrawn": case.state == "withdrawn", "outcome": None, "reviewed": False, "says": []}
    if found["withdrawn"] or not (case.outcome or has_to_come_again(tx, case.id)):
        return found
    said = told(tx, case) | {"opening": []}
    verdict = [(each.id, dict(each.params)) for each in verdict_of(said)]
    return found | {"outcome": said["outcome"], "reviewed": said["reviewed"], "says": verdict}


def is_long_unseen(device: Any) -> bool:
    """Whether it is worth a commit to note that a phone made contact: once an hour."""
    return device.seen_at is None or device.seen_at < now_ms() - HOUR_MS


def note_seen(tx: Connection, device: Any) -> None:
    """Notes that a phone makes contact."""
    tx.execute(app_device.update().where(app_device.c.id == device.id).values(seen_at=now_ms()))


def phones(tx: Connection) -> Sequence[Phone]:
    """Every phone that was enrolled, in the order in which it was."""
    held = sa.func.count(app_screening.c.id)
    rows = tx.execute(
        sa.select(app_device, worker.c.msisdn, worker.c.name, held)
        .join(worker, worker.c.id == app_device.c.worker_id)
        .outerjoin(app_screening, app_screening.c.app_device_id == app_device.c.id)
        .group_by(app_device.c.id, worker.c.msisdn, worker.c.name)
        .order_by(app_device.c.id)
    )
    return [Phone(row[0], worker_name(row), row.enrolled_at, row.seen_at, row.revoked_at, row[-1]) for row in rows]


def revoke(tx: Connection, number: int) -> bool:
    """Closes a phone: it hands over nothing more, and erases what it holds when it makes contact. Whether there is
    such a phone."""
    changed = tx.execute(app_device.update().where(app_device.c.id == number).values(revoked_at=now_ms()))
    return bool(changed.rowcount)
