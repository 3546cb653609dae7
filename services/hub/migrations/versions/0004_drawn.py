"""Results that were drawn for a second look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "drawn",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("result_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_drawn_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawn")),
        sa.UniqueConstraint("result_id", name=op.f("uq_drawn_result_id")),
    )


def downgrade() -> None:
    op.drop_table("drawn")
