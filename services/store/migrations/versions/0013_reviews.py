"""What reviewers at the hub found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.Column("review_ref", sa.BigInteger(), nullable=False),
        sa.Column("reviewer", sa.BigInteger(), nullable=False),
        sa.Column("outcome_before", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("eyes", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("last_reading", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_review_screening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "screening_id", "review_ref", "reviewed_at", name=op.f("uq_review_screening_id_review_ref_reviewed_at")
        ),
    )
    op.create_index(op.f("ix_review_screening_id"), "review", ["screening_id"])


def downgrade() -> None:
    op.drop_table("review")
