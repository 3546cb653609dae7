"""Who took a consent back and where; and conversations that nobody finished are found without reading the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    op.add_column("consent", sa.Column("withdrawn_by", sa.Text(), nullable=True))
    op.add_column("consent", sa.Column("withdrawn_channel", sa.Text(), nullable=True))
    op.create_index(
        "ix_conversation_active", "conversation", ["msisdn"], sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_active", "conversation")
    op.drop_column("consent", "withdrawn_channel")
    op.drop_column("consent", "withdrawn_by")
