"""What somebody who wants advice sets going: a photograph is read, words come as an SMS, an adviser rings.

Every function runs in its caller's transaction and answers with plain JSON, since conversations keep the answers in
their journal.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from services.channels.base import Kind
from services.channels.phone_numbers import is_person
from services.messaging.outbox import post
from services.screening.cases import read_when_complete
from services.screening.people import caller_for
from services.settings import current
from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.tables import message, photo, photo_question

ADVICE, RING = "advice", "adviser-asked"
"""Purposes of messages."""
_SMS_A_DAY = 5


def ask_about(tx: Connection, *, photo_id: int, programme: str, sender: str, language: str) -> dict[str, Any]:
    """Asks what a photograph shows: `{"state": "queued"|"taken"}`. It belongs to nobody's case."""
    changed = tx.execute(
        photo.update()
        .where(
            photo.c.id == photo_id,
            photo.c.sender == sender,
            photo.c.screening_id.is_(None),
            photo.c.state == "received",
        )
        .values(state="attached")
    )
    if not changed.rowcount:
        return {"state": "taken"}
    row = {"photo_id": photo_id, "programme": programme, "language": language, "asked_at": now_ms()}
    insert_once(tx, photo_question, row, key=("photo_id",))
    read_when_complete(tx, photo_id)
    return {"state": "queued"}


def expect_photograph(_tx: Connection, *, programme: str) -> dict[str, Any]:
    """Remembers, in the journal of the conversation, that a photograph may come without a word: `{"programme"}`."""
    return {"programme": programme}


def send_words(tx: Connection, *, msisdn: str, messages: Sequence[str], language: str) -> dict[str, Any]:
    """Sends sentences that name nobody by SMS: `{"state": "sent"|"limit"|"unreachable"}`, some times a day."""
    if not is_person(msisdn):
        return {"state": "unreachable"}
    recent = sa.select(sa.func.count()).where(
        message.c.recipient == msisdn, message.c.purpose == ADVICE, message.c.created_at > now_ms() - DAY_MS
    )
    if tx.execute(recent).scalar_one() >= _SMS_A_DAY:
        return {"state": "limit"}
    words = "\n".join(text(language, each) for each in messages)
    post(tx, Kind.SMS, msisdn, words, key=f"{ADVICE}:{secrets.token_hex(8)}", purpose=ADVICE, language=language)
    return {"state": "sent"}


def has_adviser(_tx: Connection, *, programme: str) -> dict[str, Any]:
    """Whether somebody rings people of this programme: `{"known"}`."""
    return {"known": programme in current().advisers}


def ask_adviser(tx: Connection, *, msisdn: str, programme: str) -> dict[str, Any]:
    """Asks the programme's adviser by SMS to ring this number: `{"state": "asked"|"limit"|"unreachable"}`, once a
    day."""
    adviser = current().advisers.get(programme)
    if adviser is None or not is_person(msisdn):
        return {"state": "unreachable"}
    language = caller_for(tx, adviser)["language"] or current().language
    words = text(language, "adviser-ring", phone=msisdn, choice=text(language, f"menu-{programme}"))
    posted = post(tx, Kind.SMS, adviser, words, key=_once_a_day(msisdn, programme), purpose=RING, language=language)
    return {"state": "asked" if posted is not None else "limit"}


def _once_a_day(msisdn: str, programme: str) -> str:
    """The same key all day, from which the number cannot be told."""
    secret, today = current().audio_secret.get_secret_value(), now_ms() // DAY_MS
    asked = hmac.new(secret.encode(), f"{RING}:{programme}:{msisdn}:{today}".encode(), hashlib.sha256)
    return f"{RING}:{asked.hexdigest()[:32]}"
