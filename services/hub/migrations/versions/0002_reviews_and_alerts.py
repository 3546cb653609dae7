"""Reviewers and what they found; what sites saw by week; alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NOT_NORMAL = sa.text("outcome <> 'rescreen'")
_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_index("ix_result_received_at", "result", ["received_at"])
    op.create_index(
        "ix_result_not_normal", "result", ["decided_at"], sqlite_where=_NOT_NORMAL, postgresql_where=_NOT_NORMAL
    )
    op.create_table(
        "reviewer",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("wrong", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewer")),
        sa.UniqueConstraint("name", name=op.f("uq_reviewer_name")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("reviewer_id", _ID, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewer.id"], name=op.f("fk_sign_in_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sign_in_token_sha256")),
    )
    op.create_index(op.f("ix_sign_in_reviewer_id"), "sign_in", ["reviewer_id"])
    op.create_table(
        "review",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("result_id", _ID, nullable=False),
        sa.Column("reviewer_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("outcome_before", sa.Text(), nullable=False),
        sa.Column("eyes", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_review_result_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["reviewer.id"], name=op.f("fk_review_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_result_id"), "review", ["result_id"])
    op.create_index(op.f("ix_review_reviewer_id"), "review", ["reviewer_id"])
    op.create_table(
        "verdict",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("result_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_verdict_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("result_id", name=op.f("uq_verdict_result_id")),
    )
    op.create_index(op.f("ix_verdict_state"), "verdict", ["state"])
    op.create_table(
        "week",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("model_id", _ID, nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("screenings", sa.Integer(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("ungradable", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.JSON(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_week_site_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_week_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_week")),
        sa.UniqueConstraint("week", "site_id", "model_id", name=op.f("uq_week_week_site_id_model_id")),
    )
    op.create_table(
        "alert",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("site_id", _ID, nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_alert_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_site_id"), "alert", ["site_id"])
    op.create_index(
        "ix_alert_open", "alert", ["kind", "subject"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def downgrade() -> None:
    for table in ("alert", "week", "verdict", "review", "sign_in", "reviewer"):
        op.drop_table(table)
    op.drop_index("ix_result_not_normal", "result")
    op.drop_index("ix_result_received_at", "result")
