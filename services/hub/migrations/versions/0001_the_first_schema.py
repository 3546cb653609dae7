"""The hub's first schema: sites and how they are enrolled, results eye by eye, and what waits for a site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "site",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("highest_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("reported_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("public_key", name=op.f("uq_site_public_key")),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("site_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_enrolment_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_enrolment_secret_sha256")),
    )
    op.create_index(op.f("ix_enrolment_site_id"), "enrolment", ["site_id"])
    op.create_table(
        "model",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("doubt", sa.Float(), nullable=True),
        sa.Column("oedema_threshold", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_model_fingerprint")),
    )
    op.create_table(
        "result",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("screening_ref", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=True),
        sa.Column("patient_key", sa.LargeBinary(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("worker_ref", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("visit_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("visit_reason", sa.Text(), nullable=True),
        sa.Column("visit_told_by", sa.Text(), nullable=True),
        sa.Column("visit_answered_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_result_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result")),
        sa.UniqueConstraint("site_id", "screening_ref", name=op.f("uq_result_site_id_screening_ref")),
    )
    op.create_index(op.f("ix_result_patient_key"), "result", ["patient_key"])
    op.create_index("ix_result_site_id_decided_at", "result", ["site_id", "decided_at"])
    op.create_table(
        "eye",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("result_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("eye", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("gradable", sa.Boolean(), nullable=False),
        sa.Column("quality_score", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("oedema_probability", sa.Float(), nullable=True),
        sa.Column("model_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_eye_result_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_eye_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eye")),
        sa.UniqueConstraint("result_id", "position", name=op.f("uq_eye_result_id_position")),
    )
    op.create_index(op.f("ix_eye_model_id"), "eye", ["model_id"])
    op.create_table(
        "down",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_down_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_down")),
    )
    op.create_index("ix_down_site_id_id", "down", ["site_id", "id"])


def downgrade() -> None:
    for table in ("down", "eye", "result", "model", "enrolment", "site", "secret"):
        op.drop_table(table)
