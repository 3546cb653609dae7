"""Photographs that are questions of whoever sent them, with no case and no code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "photo_question",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("photo_id", _ID, nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("tier_reason", sa.Text(), nullable=True),
        sa.Column("model_name", sa.Text(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("model_sha256", sa.Text(), nullable=True),
        sa.Column("abstain_below", sa.Float(), nullable=True),
        sa.Column("milliseconds", sa.JSON(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_photo_question_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_question")),
        sa.UniqueConstraint("photo_id", name=op.f("uq_photo_question_photo_id")),
    )


def downgrade() -> None:
    op.drop_table("photo_question")
