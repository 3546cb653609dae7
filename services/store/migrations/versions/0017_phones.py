"""Phones that were seen, and closed; screenings of one eye that came from a phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("app_device", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("app_device", sa.Column("revoked_at", sa.BigInteger(), nullable=True))
    op.add_column("app_screening", sa.Column("one_eye", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("app_screening", "one_eye")
    op.drop_column("app_device", "revoked_at")
    op.drop_column("app_device", "seen_at")
