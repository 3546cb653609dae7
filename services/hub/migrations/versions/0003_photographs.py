"""Photographs on their way to the hub, and those that came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("photo_ref", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("resumed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_upload_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("token", name=op.f("uq_upload_token")),
    )
    op.create_index(op.f("ix_upload_site_id"), "upload", ["site_id"])
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"])
    op.create_table(
        "upload_chunk",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("upload_id", _ID, nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_upload_chunk_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_chunk")),
        sa.UniqueConstraint("upload_id", "offset", name=op.f("uq_upload_chunk_upload_id_offset")),
    )
    op.create_table(
        "photograph",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("photo_ref", sa.BigInteger(), nullable=False),
        sa.Column("screening_ref", sa.BigInteger(), nullable=False),
        sa.Column("eye", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("media_key", sa.Text(), nullable=False),
        sa.Column("heatmap_key", sa.Text(), nullable=True),
        sa.Column("probability_before", sa.Float(), nullable=True),
        sa.Column("probability_after", sa.Float(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_photograph_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photograph")),
        sa.UniqueConstraint("site_id", "photo_ref", name=op.f("uq_photograph_site_id_photo_ref")),
    )
    op.create_index("ix_photograph_site_id_screening_ref", "photograph", ["site_id", "screening_ref"])
    op.create_table(
        "media_erasure",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_erasure")),
        sa.UniqueConstraint("key", name=op.f("uq_media_erasure_key")),
    )


def downgrade() -> None:
    for table in ("media_erasure", "photograph", "upload_chunk", "upload"):
        op.drop_table(table)
