"""Photographs that belong to no case: a question of whoever sent them, answered on the channel that it came by.

Nobody consents to more than the answer, so nothing is kept beyond it: the photograph is erased once it was read. What
was found stays without saying for whom, so that the share of questions that get an answer can be watched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from services import programmes
from services.channels.base import Kind
from services.inference.classes import ClassReading
from services.messaging.outbox import NOTE, SPEECH, enqueue, post
from services.runtime import Runtime
from services.screening.sanitise import BadPhotograph, sanitise
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.tables import inbound, photo, photo_question

ANSWER = "reply"
"""The purpose of an answer: STOP is for what was not asked for."""


def answer_photo(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Answers the photograph `argument["photo_id"]`, unless that was done before, and erases it."""
    from services.screening.engines import classifier

    photo_id = int(argument["photo_id"])
    with site.db.read() as tx:
        row = tx.execute(
            sa.select(photo, inbound.c.kind, photo_question.c.programme, photo_question.c.language)
            .join(inbound, inbound.c.id == photo.c.inbound_id)
            .join(photo_question, photo_question.c.photo_id == photo.c.id)
            .where(photo.c.id == photo_id, photo.c.sha256.is_not(None))
        ).first()
    if row is None:
        return
    if row.state == "attached":
        try:
            photograph = sanitise(site.media.content(row.sha256))
        except BadPhotograph as problem:
            with site.db.write() as tx:
                _conclude(tx, row, {"state": "refused", "error": problem.message_id}, [problem.message_id])
        else:
            found = classifier(row.programme).read(photograph.image)
            says = programmes.installed()[row.programme].says
            with site.db.write() as tx:
                tx.execute(photo_question.update().where(photo_question.c.photo_id == photo_id).values(_values(found)))
                _conclude(tx, row, {"state": "read"}, says[found.found or ""])
    _erase(site, row)


def _conclude(tx: Connection, row: Any, values: Mapping[str, str], messages: Sequence[str]) -> None:
    changed = tx.execute(photo.update().where(photo.c.id == row.id, photo.c.state == "attached").values(values))
    if not changed.rowcount:
        return
    key = f"answer:{row.id}"
    words = "\n".join(text(row.language, each) for each in messages)
    kind = Kind.WHATSAPP if row.kind == Kind.WHATSAPP else Kind.SMS
    post(tx, kind, row.sender, words, key=key, purpose=ANSWER, language=row.language, useful_ms=DAY_MS)
    if kind is Kind.WHATSAPP and values["state"] == "read":
        # Who cannot read it hears it.
        note_id = post(
            tx,
            kind,
            row.sender,
            "",
            key=f"{key}:note",
            purpose=NOTE,
            language=row.language,
            useful_ms=HOUR_MS,
            prepare=True,
        )
        if note_id is not None:
            argument = {"message_id": note_id, "messages": list(messages)}
            enqueue(tx, SPEECH, "prepare_note", argument, key=f"prepare:{note_id}")


def _values(found: ClassReading) -> dict[str, Any]:
    return {
        "found": found.found,
        "probability": found.probability,
        "tier": found.tier,
        "tier_reason": found.reason,
        "model_name": found.model.name,
        "model_version": found.model.version,
        "model_sha256": found.model.sha256,
        "abstain_below": found.model.threshold,
        "milliseconds": found.milliseconds,
        "answered_at": now_ms(),
    }


def _erase(site: Runtime, row: Any) -> None:
    """The file, unless it is another photograph's too, which is stored once by what it contains."""
    with site.db.read() as tx:
        others = sa.select(photo.c.id).where(photo.c.sha256 == row.sha256, photo.c.id != row.id)
        shared = tx.execute(others.limit(1)).first() is not None
    if not shared:
        site.media.erase(row.sha256)
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == row.id).values(sha256=None, expected_sha256="", locator=""))
