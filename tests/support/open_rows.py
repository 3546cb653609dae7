"""Rows with their sealed columns opened, for tests that look at what was said and to whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.messaging.outbox import buttons_of, text_of
from services.store.phones import number_of
from services.store.rows import conversation_name, opened_json
from services.store.sealing import seal_json
from services.store.tables import conversation, message


def messages(tx: Connection, *which: Any) -> list[Any]:
    """The messages that fit, oldest first: `text` and `buttons` as they are read, `recipient` as it is dialled."""
    rows = tx.execute(sa.select(message).where(*which).order_by(message.c.id)).all()
    return [
        SimpleNamespace(
            **row._asdict()
            | {"text": text_of(row), "buttons": buttons_of(row), "recipient": number_of(tx, row.recipient)}
        )
        for row in rows
    ]


def texts(tx: Connection, *which: Any) -> list[str]:
    """What the messages that fit say."""
    return [row.text for row in messages(tx, *which)]


def conversations(tx: Connection, *which: Any) -> list[Any]:
    """The conversations that fit, oldest first, with `caller`, `journal`, `heard` and `said`."""
    rows = tx.execute(sa.select(conversation).where(*which).order_by(conversation.c.id)).all()
    return [SimpleNamespace(**row._asdict(), **(opened_json(conversation.c.content, row) or {})) for row in rows]


def change_conversation(tx: Connection, **content: Any) -> None:
    """Writes something else into the only conversation."""
    row = tx.execute(sa.select(conversation)).one()
    changed = opened_json(conversation.c.content, row) | content
    name = conversation_name(row.msisdn, row.channel, row.created_at)
    tx.execute(conversation.update().values(content=seal_json(conversation.c.content, name, changed)))
