"""Pieces of photographs and the hub's own secrets are sealed, and the store knows with which keyring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.store.keyring import hub_keys
from services.store.lock import SCRUB, SEAL_FILES, leave_note

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SECRET = sa.table("secret", sa.column("name"), sa.column("value", sa.LargeBinary))
_UPLOAD = sa.table("upload", sa.column("id"), sa.column("token"))
_CHUNK = sa.table(
    "upload_chunk", sa.column("id"), sa.column("upload_id"), sa.column("offset"), sa.column("content", sa.LargeBinary)
)


def upgrade() -> None:
    op.create_table(
        "store_lock",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_lock")),
    )
    _change(opening=False)
    leave_note(op.get_bind(), SCRUB)
    leave_note(op.get_bind(), SEAL_FILES)


def downgrade() -> None:
    _change(opening=True)
    op.drop_table("store_lock")


def _change(*, opening: bool) -> None:
    tx, act = op.get_bind(), hub_keys().open if opening else hub_keys().seal
    for name, value in tx.execute(sa.select(_SECRET.c.name, _SECRET.c.value)).all():
        changed = act(bytes(value), f"secret:{name}:value".encode())
        tx.execute(_SECRET.update().where(_SECRET.c.name == name).values(value=changed))
    chunks = sa.select(_CHUNK.c.id, _UPLOAD.c.token, _CHUNK.c.offset).join(_UPLOAD, _UPLOAD.c.id == _CHUNK.c.upload_id)
    for number, token, offset in tx.execute(chunks).all():
        content = tx.execute(sa.select(_CHUNK.c.content).where(_CHUNK.c.id == number)).scalar_one()
        changed = act(bytes(content), f"upload_chunk:{token}.{offset}:content".encode())
        tx.execute(_CHUNK.update().where(_CHUNK.c.id == number).values(content=changed))
