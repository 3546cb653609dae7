"""Where referred patients go, whether they went, who comes again in a year, and which photographs are waited for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "facility",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("ours", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
        sa.UniqueConstraint("name", "town", name=op.f("uq_facility_name_town")),
    )
    op.create_table(
        "referral",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.Column("facility_id", _ID, nullable=True),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("worker_told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_referral_screening_id")),
        sa.ForeignKeyConstraint(["facility_id"], ["facility.id"], name=op.f("fk_referral_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("screening_id", name=op.f("uq_referral_screening_id")),
    )
    op.create_index(op.f("ix_referral_facility_id"), "referral", ["facility_id"])
    op.create_index("ix_referral_next_at", "referral", ["next_at"])
    op.create_table(
        "follow_up",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("invited_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_follow_up_screening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("screening_id", name=op.f("uq_follow_up_screening_id")),
    )
    op.create_index("ix_follow_up_next_at", "follow_up", ["next_at"])
    op.create_table(
        "retake",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.Column("eye", sa.Text(), nullable=False),
        sa.Column("photo_id", _ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_retake_screening_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_retake_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retake")),
        sa.UniqueConstraint("screening_id", "eye", name=op.f("uq_retake_screening_id_eye")),
    )
    op.create_index(op.f("ix_retake_screening_id"), "retake", ["screening_id"])
    op.create_index("ix_retake_next_at", "retake", ["next_at"])
    op.create_index(op.f("ix_screening_patient_msisdn"), "screening", ["patient_msisdn"])


def downgrade() -> None:
    op.drop_index(op.f("ix_screening_patient_msisdn"), "screening")
    for table in ("retake", "follow_up", "referral", "facility"):
        op.drop_table(table)
