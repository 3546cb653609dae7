"""What people send, stored once and answered once, in one transaction; the carrier is thanked only after it."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.chat import chat_turn
from services.channels.base import Inbound, Kind, Media
from services.channels.phone_numbers import is_person
from services.ledger.charges import message_received
from services.messaging.outbox import post
from services.runtime import Runtime
from services.screening.cases import read_when_complete
from services.screening.people import caller_for
from services.store.clock import DAY_MS, now_ms
from services.store.database import insert_once
from services.store.phones import remember
from services.store.rows import inbound_name
from services.store.sealing import seal
from services.store.tables import inbound as inbound_table
from services.store.tables import photo

_LOG = logging.getLogger(__name__)
_PHOTOS_A_MESSAGE = 10


def came_before(site: Runtime, inbound: Inbound) -> bool:
    """Whether a message is one that a carrier repeats."""
    same = inbound_table.c.carrier == inbound.carrier, inbound_table.c.provider_id == inbound.provider_id
    with site.db.read() as tx:
        return tx.execute(sa.select(inbound_table.c.id).where(*same)).first() is not None


def receive(site: Runtime, inbound: Inbound) -> bool:
    """Stores and answers one message. False if it came before: carriers repeat a callback for hours until thanked."""
    stored = [(media, _keep(site, media)) for media in _photographs(inbound)]
    name = inbound_name(inbound.carrier, inbound.provider_id)
    with site.db.write() as tx:
        inbound_id = insert_once(
            tx,
            inbound_table,
            {
                "carrier": inbound.carrier,
                "provider_id": inbound.provider_id,
                "kind": inbound.kind.value,
                "sender": remember(tx, inbound.sender),
                "recipient": inbound.recipient,
                "text": seal(inbound_table.c.text, name, inbound.text),
                "received_at": now_ms(),
            },
            key=("carrier", "provider_id"),
        )
        if inbound_id is None:
            return False
        message_received(tx, inbound)
        photos = [
            _insert_photo(tx, inbound, inbound_id, position, media, sha256)
            for position, (media, sha256) in enumerate(stored)
        ]
        _answer(tx, site, inbound, inbound_id, photos)
        for photo_id in photos:
            read_when_complete(tx, photo_id)
    return True


def _photographs(inbound: Inbound) -> tuple[Media, ...]:
    """Attachments that may be photographs: a picture sent as a "document" keeps its bytes, and is welcome."""
    return tuple(media for media in inbound.media if not media.mime_type.startswith(("audio/", "video/", "text/")))[
        :_PHOTOS_A_MESSAGE
    ]


def _keep(site: Runtime, media: Media) -> str | None:
    return site.media.receive(media.content) if media.content is not None else None


def _insert_photo(
    tx: Connection, inbound: Inbound, inbound_id: int, position: int, media: Media, sha256: str | None
) -> int:
    row = {
        "inbound_id": inbound_id,
        "position": position,
        "sender": inbound.sender,
        "mime_type": media.mime_type,
        "locator": media.locator,
        "expected_sha256": media.sha256,
        "sha256": sha256,
        "state": "received",
        "received_at": now_ms(),
    }
    photo_id = insert_once(tx, photo, row, key=("inbound_id", "position"))
    assert photo_id is not None, "a new message has new attachments"
    return photo_id


def _answer(tx: Connection, site: Runtime, inbound: Inbound, inbound_id: int, photos: list[int]) -> None:
    if inbound.kind is not Kind.WHATSAPP and not is_person(inbound.sender):
        # An operator's own sender or a short code: answering it may start two machines talking at our cost.
        _LOG.info("message from no person", extra={"inbound": inbound_id})
        return
    if not (inbound.text or inbound.choice or photos or inbound.media):
        # A reaction, or a kind of message that is newer than this code: no question, so no answer.
        return
    replies = chat_turn(tx, inbound, photos=photos)
    kind = Kind.WHATSAPP if inbound.kind is Kind.WHATSAPP else Kind.SMS
    language = caller_for(tx, inbound.sender)["language"] or site.settings.language
    for position, reply in enumerate(replies):
        post(
            tx,
            kind,
            inbound.sender,
            reply.text,
            key=f"reply:{inbound_id}:{position}",
            purpose="reply",
            language=language,
            buttons=tuple(reply.buttons),
            useful_ms=DAY_MS,
        )
