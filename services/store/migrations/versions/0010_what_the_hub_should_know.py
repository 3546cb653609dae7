"""Events that wait for the hub, and how far it was heard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("acked_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "sync_event",
        sa.Column("seq", _ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("screening_id", _ID, nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_sync_event_screening_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_sync_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sync_event_screening_id"), "sync_event", ["screening_id"])
    op.create_index("ix_sync_event_waiting", "sync_event", ["seq"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "sync_mark",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_mark")),
        sa.UniqueConstraint("name", name=op.f("uq_sync_mark_name")),
    )


def downgrade() -> None:
    op.drop_table("sync_mark")
    op.drop_table("sync_event")
