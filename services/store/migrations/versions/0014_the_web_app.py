"""What health workers' phones hand over from the web app."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "app_code",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("worker_id", _ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_app_code_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_code")),
    )
    op.create_index(op.f("ix_app_code_worker_id"), "app_code", ["worker_id"])
    op.create_table(
        "app_device",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("worker_id", _ID, nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_app_device_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_device")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_app_device_token_sha256")),
    )
    op.create_index(op.f("ix_app_device_worker_id"), "app_device", ["worker_id"])
    op.create_table(
        "app_screening",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("app_device_id", _ID, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["app_device_id"], ["app_device.id"], name=op.f("fk_app_screening_app_device_id")),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_app_screening_screening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_screening")),
        sa.UniqueConstraint("app_device_id", "ref", name=op.f("uq_app_screening_app_device_id_ref")),
        sa.UniqueConstraint("screening_id", name=op.f("uq_app_screening_screening_id")),
    )
    op.create_index(op.f("ix_app_screening_app_device_id"), "app_screening", ["app_device_id"])
    op.create_table(
        "app_reading",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("photo_id", _ID, nullable=False),
        sa.Column("screening_id", _ID, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_app_reading_photo_id")),
        sa.ForeignKeyConstraint(["screening_id"], ["screening.id"], name=op.f("fk_app_reading_screening_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_reading")),
        sa.UniqueConstraint("photo_id", name=op.f("uq_app_reading_photo_id")),
    )
    op.create_index(op.f("ix_app_reading_screening_id"), "app_reading", ["screening_id"])


def downgrade() -> None:
    for table in ("app_reading", "app_screening", "app_device", "app_code"):
        op.drop_table(table)
