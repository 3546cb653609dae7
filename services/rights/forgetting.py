"""A person is forgotten: her consents are taken back, which has screenings and photographs erased here and at the hub,
and what else is kept under her number goes at once.

Her number's keyed hash stays where she said STOP, so that nobody writes to her again, and in the audit log, which says
that she was forgotten.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.runtime import Runtime
from services.screening.people import worker_id
from services.screening.withdrawal import withdraw_screening
from services.store import audit
from services.store.audit import Actor
from services.store.phones import forget_number
from services.store.sealing import NOTHING, phone_token
from services.store.tables import caller, conversation, inbound, message, photo, risk_assessment, screening, worker


class StillAWorker(Exception):
    """The number is a health worker's, who has to be removed first."""


@dataclass(frozen=True)
class Forgotten:
    """How much was erased or will be within the hour."""

    screenings: int
    conversations: int
    messages_sent: int
    messages_received: int
    risk_answers: int
    photographs: int

    @property
    def nothing(self) -> bool:
        return not any(asdict(self).values())


def forget(site: Runtime, msisdn: str, actor: Actor) -> Forgotten:
    """Forgets whoever has this number. Files of screenings are erased by a job. Raises StillAWorker, OSError."""
    token = phone_token(msisdn)
    with site.db.write() as tx:
        if worker_id(tx, token) is not None:
            raise StillAWorker
        found, files = _forget(tx, token)
        audit.record(tx, actor, "forget", token, **asdict(found))
    for sha256 in files:
        site.media.erase(sha256)
    return found


def _forget(tx: Connection, token: str) -> tuple[Forgotten, list[str]]:
    hers = screening.c.patient_msisdn == token, screening.c.state != "withdrawn"
    screenings = tx.execute(sa.select(screening.c.id).where(*hers)).scalars().all()
    for number in screenings:
        withdraw_screening(tx, number, by="operator", channel="command")
    photographs = _photographs_of_nobody(tx, token)
    conversations = tx.execute(conversation.delete().where(conversation.c.msisdn == token)).rowcount
    sent = tx.execute(
        message.update()
        .where(message.c.recipient == token)
        .values(
            text=NOTHING,
            buttons=NOTHING,
            recipient="",
            state=sa.case((message.c.state == "pending", "failed"), else_=message.c.state),
        )
    ).rowcount
    came = tx.execute(inbound.update().where(inbound.c.sender == token).values(text=NOTHING, sender="")).rowcount
    tx.execute(photo.update().where(photo.c.sender == token).values(sender=""))
    answers = tx.execute(risk_assessment.delete().where(risk_assessment.c.msisdn == token)).rowcount
    tx.execute(caller.delete().where(caller.c.msisdn == token))
    tx.execute(worker.update().where(worker.c.msisdn == token).values(name=NOTHING))
    forget_number(tx, token)
    found = Forgotten(len(screenings), conversations, sent, came, answers, len(photographs))
    return found, photographs


def _photographs_of_nobody(tx: Connection, token: str) -> list[str]:
    """Files of photographs that she sent and that belong to no screening, and to no other message."""
    hers = photo.c.sender == token, photo.c.screening_id.is_(None)
    files = set(tx.execute(sa.select(photo.c.sha256).where(*hers, photo.c.sha256.is_not(None))).scalars())
    others = sa.or_(photo.c.sender != token, photo.c.screening_id.is_not(None))
    kept = set(tx.execute(sa.select(photo.c.sha256).where(photo.c.sha256.in_(files), others)).scalars())
    tx.execute(photo.update().where(*hers).values(sha256=None, expected_sha256="", locator="", state="refused"))
    return sorted(files - kept)
