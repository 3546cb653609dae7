"""Answers to the symptom questions and what the model made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "symptom_assessment",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("worker_id", _ID, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("age", sa.Integer(), nullable=False),
        sa.Column("symptoms", sa.JSON(), nullable=False),
        sa.Column("consent_version", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("advised", sa.Boolean(), nullable=True),
        sa.Column("model_name", sa.Text(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("model_sha256", sa.Text(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_symptom_assessment_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_symptom_assessment")),
    )
    op.create_index(op.f("ix_symptom_assessment_worker_id"), "symptom_assessment", ["worker_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_symptom_assessment_worker_id"), "symptom_assessment")
    op.drop_table("symptom_assessment")
