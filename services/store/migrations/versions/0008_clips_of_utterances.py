"""A clip knows which message it says, with which parameters, and for which call, rather than a bare text.

Clips are made again when they are asked for, so the old ones are dropped.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("clip")
    _create(
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("pace", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
    )
    op.create_index(op.f("ix_clip_call"), "clip", ["call"])


def downgrade() -> None:
    op.drop_index(op.f("ix_clip_call"), "clip")
    op.drop_table("clip")
    _create(sa.Column("text", sa.Text(), nullable=False))


def _create(*columns: sa.Column[object]) -> None:
    op.create_table(
        "clip",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        *columns,
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip")),
        sa.UniqueConstraint("key", name=op.f("uq_clip_key")),
    )
