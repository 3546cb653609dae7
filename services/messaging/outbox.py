"""What must happen next, written in the transaction that decided it. The relay hands it to the queue later.

Work and messages carry a deduplication key: a callback or a job that runs twice asks twice and gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from services.channels.base import DeliveryState, Kind
from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.phones import remember
from services.store.rows import opened, opened_json
from services.store.sealing import seal, seal_json
from services.store.tables import message, outbox

INFERENCE, SPEECH, DELIVERY = "inference", "speech", "delivery"
NOTE = "note-asked"
"""The purpose of a voice note with a result."""

_USEFUL_MS = 3 * DAY_MS  # a repaired link must not pour out last month's messages


def enqueue(
    tx: Connection, queue: str, task: str, argument: Mapping[str, Any], *, key: str, not_before: int = 0
) -> int | None:
    """Asks for one run of a task of `services.tasks`. Its outbox id, or None if `key` was asked for before."""
    return insert_once(
        tx,
        outbox,
        {
            "dedupe_key": key,
            "queue": queue,
            "task": task,
            "argument": dict(argument),
            "state": "pending",
            "not_before": not_before,
            "created_at": now_ms(),
        },
        key=("dedupe_key",),
    )


def post(
    tx: Connection,
    kind: Kind,
    recipient: str,
    text: str,
    *,
    key: str,
    purpose: str,
    language: str,
    screening_id: int | None = None,
    buttons: tuple[tuple[str, str], ...] = (),
    prepare: bool = False,
    useful_ms: int = _USEFUL_MS,
) -> int | None:
    """Writes one outgoing message and asks for its delivery. Its id, or None if `key` was posted before.

    `recipient` is a number, or the keyed hash of one that is known. `prepare` leaves out the delivery: a call is placed
    only when its audio is there.
    """
    now = now_ms()
    message_id = insert_once(
        tx,
        message,
        {
            "dedupe_key": key,
            "kind": kind.value,
            "recipient": remember(tx, recipient),
            "purpose": purpose,
            "language": language,
            "text": seal(message.c.text, key, text),
            "buttons": seal_json(message.c.buttons, key, [list(button) for button in buttons]),
            "screening_id": screening_id,
            "state": DeliveryState.PENDING.value,
            "created_at": now,
            "expires_at": now + useful_ms,
        },
        key=("dedupe_key",),
    )
    if message_id is not None and not prepare:
        deliver(tx, message_id)
    return message_id


def text_of(row: Any) -> str:
    """What a row of `message` says."""
    return opened(message.c.text, row)


def buttons_of(row: Any) -> tuple[tuple[str, str], ...]:
    """The buttons below it: key and label."""
    buttons = opened_json(message.c.buttons, row) or []
    return tuple((str(key), str(label)) for key, label in buttons)


def ring(
    tx: Connection,
    msisdn: str,
    *,
    key: str,
    purpose: str,
    language: str,
    useful_ms: int,
    screening_id: int | None = None,
) -> None:
    """Writes a call; its audio is prepared first, and only then it is placed."""
    call_id = post(
        tx,
        Kind.VOICE,
        msisdn,
        "",
        key=key,
        purpose=purpose,
        language=language,
        screening_id=screening_id,
        prepare=True,
        useful_ms=useful_ms,
    )
    if call_id is not None:
        enqueue(tx, SPEECH, "prepare_call", {"message_id": call_id}, key=f"prepare:{call_id}")


def deliver(tx: Connection, message_id: int, *, attempt: int = 0, not_before: int = 0) -> None:
    """Asks for one attempt to hand a message to its carrier."""
    enqueue(
        tx,
        DELIVERY,
        "send_message",
        {"message_id": message_id},
        key=f"send:{message_id}:{attempt}",
        not_before=not_before,
    )
