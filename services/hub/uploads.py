"""Photographs on their way: what came of each is in the hub's store, byte for byte, whichever process took it.

Bytes and offset move in one transaction, which is on disk before the site hears of it. Two requests for one upload
never both write: each says where it begins, and the second one finds that the offset has moved.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub.tables import site, upload, upload_chunk
from services.store.clock import DAY_MS, now_ms
from services.store.database import Database
from services.store.sealing import seal_bytes, unseal_bytes

RECEIVING, FINISHED, TERMINATED, EXPIRED, REFUSED = "receiving", "finished", "terminated", "expired", "refused"
_TOKEN_BYTES = 18  # 144 bits: who knows the address may go on with the upload
_REMEMBERED_MS = 30 * DAY_MS
"""How long an upload that is over is known as such: 410 instead of 404."""


class Moved(Exception):
    """The upload is no longer where the request begins: another one wrote, or the site has asked where to go on."""


@dataclass(frozen=True)
class Upload:
    """One upload as it was when it was looked at. `revoked`: its site may no longer send."""

    id: int
    token: str
    site_id: int
    photo_ref: int
    metadata: str
    length: int
    offset: int
    state: str
    resumed: int
    expires_at: int
    revoked: bool = False

    @property
    def complete(self) -> bool:
        return self.offset == self.length


def create(tx: Connection, site_id: int, *, photo_ref: int, metadata: str, length: int, keep_ms: int) -> Upload:
    """A new upload, empty so far."""
    now = now_ms()
    row = {
        "token": secrets.token_urlsafe(_TOKEN_BYTES),
        "site_id": site_id,
        "photo_ref": photo_ref,
        "metadata": metadata,
        "length": length,
        "state": RECEIVING,
        "created_at": now,
        "expires_at": now + keep_ms,
    }
    return _of(tx.execute(upload.insert().values(row).returning(upload)).one())


def find(db: Database, token: str) -> Upload | None:
    """The upload behind an address; one whose time is over is "expired"."""
    with db.read() as tx:
        row = tx.execute(
            sa.select(upload, site.c.revoked_at)
            .join(site, site.c.id == upload.c.site_id)
            .where(upload.c.token == token)
        ).first()
    if row is None:
        return None
    return _of(row, revoked=row.revoked_at is not None)


def resume(db: Database, known: Upload) -> Upload:
    """Where to go on. From now on a request that began before writes nothing: its line may be dead, and what it still
    holds is sent again."""
    with db.write() as tx:
        row = tx.execute(
            upload.update().where(upload.c.id == known.id).values(resumed=upload.c.resumed + 1).returning(upload)
        ).one()
    return _of(row, revoked=known.revoked)


def append(db: Database, known: Upload, content: bytes, *, keep_ms: int) -> Upload:
    """Puts bytes at the offset of `known`. Raises Moved, and writes nothing then."""
    with db.write() as tx:
        # The condition and the move are one statement: whoever waited for the row finds that it has moved.
        row = tx.execute(
            upload.update()
            .where(
                upload.c.id == known.id,
                upload.c.state == RECEIVING,
                upload.c.offset == known.offset,
                upload.c.resumed == known.resumed,
            )
            .values(
                offset=upload.c.offset + len(content),
                received=upload.c.received + len(content),
                expires_at=now_ms() + keep_ms,
            )
            .returning(upload)
        ).first()
        if row is None:
            raise Moved
        if content:  # an empty piece would take the place of the one that comes next at this byte
            sealed = seal_bytes(upload_chunk.c.content, f"{known.token}.{known.offset}", content)
            tx.execute(upload_chunk.insert().values(upload_id=known.id, offset=known.offset, content=sealed))
    return _of(row, revoked=known.revoked)


def count_lost(db: Database, known: Upload, size: int) -> None:
    """Counts bytes that came and were not kept."""
    if size:
        with db.write() as tx:
            tx.execute(upload.update().where(upload.c.id == known.id).values(received=upload.c.received + size))


def content_of(tx: Connection, upload_id: int) -> bytes:
    """All that came, in order."""
    rows = tx.execute(
        sa.select(upload.c.token, upload_chunk.c.offset, upload_chunk.c.content)
        .join(upload, upload.c.id == upload_chunk.c.upload_id)
        .where(upload_chunk.c.upload_id == upload_id)
        .order_by(upload_chunk.c.offset)
    )
    return b"".join(unseal_bytes(upload_chunk.c.content, f"{row.token}.{row.offset}", row.content) for row in rows)


def end(tx: Connection, ids: Sequence[int], state: str) -> None:
    """Nothing more comes of these uploads; what came is deleted."""
    tx.execute(upload_chunk.delete().where(upload_chunk.c.upload_id.in_(ids)))
    tx.execute(upload.update().where(upload.c.id.in_(ids)).values(state=state))


def expire(tx: Connection) -> int:
    """Ends what was not finished in time, and forgets what ended long ago. How many expired."""
    now = now_ms()
    late = tx.execute(sa.select(upload.c.id).where(upload.c.expires_at <= now, upload.c.state == RECEIVING).limit(100))
    ids = list(late.scalars())
    end(tx, ids, EXPIRED)
    tx.execute(upload.delete().where(upload.c.expires_at <= now - _REMEMBERED_MS, upload.c.state != RECEIVING))
    return len(ids)


def _of(row: Any, *, revoked: bool = False) -> Upload:
    state = row.state
    # A complete one only waits to be put away: it is never too late for that.
    if state == RECEIVING and row.offset < row.length and row.expires_at <= now_ms():
        state = EXPIRED
    return Upload(
        row.id,
        row.token,
        row.site_id,
        row.photo_ref,
        row.metadata,
        row.length,
        row.offset,
        state,
        row.resumed,
        row.expires_at,
        revoked,
    )
