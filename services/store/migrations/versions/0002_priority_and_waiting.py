"""A screening has a priority; work that waits for power or is handed out again has not failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("screening", sa.Column("priority", sa.Text(), server_default="routine", nullable=False))
    op.add_column("outbox", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    # Until now a row's rounds were counted as its failures.
    op.execute("UPDATE outbox SET failures = round WHERE state IN ('pending', 'dispatched')")


def downgrade() -> None:
    op.drop_column("outbox", "failures")
    op.drop_column("screening", "priority")
