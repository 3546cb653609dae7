"""Answers to the risk questions and the points they gave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "risk_assessment",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("msisdn", sa.Text(), nullable=True),
        sa.Column("worker_id", _ID, nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("points_low", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("consent_version", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_risk_assessment_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_assessment")),
    )
    op.create_index(op.f("ix_risk_assessment_msisdn"), "risk_assessment", ["msisdn"])
    op.create_index(op.f("ix_risk_assessment_worker_id"), "risk_assessment", ["worker_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_risk_assessment_worker_id"), "risk_assessment")
    op.drop_index(op.f("ix_risk_assessment_msisdn"), "risk_assessment")
    op.drop_table("risk_assessment")
