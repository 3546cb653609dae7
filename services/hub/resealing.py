"""What the hub's store has sealed, sealed anew with another key."""

from __future__ import annotations

import sqlalchemy as sa

from services.hub.tables import secret, upload, upload_chunk
from services.store.database import Database
from services.store.keyring import Keyring, key_id
from services.store.sealing import seal_bytes, unseal_bytes


def secrets_again(db: Database, keys: Keyring) -> int:
    """Seals the hub's own secrets anew. How many had an old key. Raises services.store.keyring.NotOurs."""
    with db.write() as tx:
        rows = tx.execute(sa.select(secret.c.name, secret.c.value)).all()
        old = [row for row in rows if key_id(bytes(row.value)) != keys.ring.current]
        for row in old:
            value = seal_bytes(secret.c.value, row.name, unseal_bytes(secret.c.value, row.name, row.value))
            tx.execute(secret.update().where(secret.c.name == row.name).values(value=value))
    return len(old)


def pieces_again(db: Database, keys: Keyring) -> int:
    """Seals the pieces of photographs that are on their way anew, each in a transaction of its own. How many had an old
    key. Raises services.store.keyring.NotOurs."""
    with db.read() as tx:
        numbers = tx.execute(sa.select(upload_chunk.c.id).order_by(upload_chunk.c.id)).scalars().all()
    done = 0
    for number in numbers:
        with db.write() as tx:
            row = tx.execute(
                sa.select(upload.c.token, upload_chunk.c.offset, upload_chunk.c.content)
                .join(upload, upload.c.id == upload_chunk.c.upload_id)
                .where(upload_chunk.c.id == number)
            ).first()
            if row is None or key_id(bytes(row.content)) == keys.ring.current:
                continue
            name = f"{row.token}.{row.offset}"
            content = seal_bytes(upload_chunk.c.content, name, unseal_bytes(upload_chunk.c.content, name, row.content))
            tx.execute(upload_chunk.update().where(upload_chunk.c.id == number).values(content=content))
            done += 1
    return done
