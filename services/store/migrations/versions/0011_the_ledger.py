"""What every message, call and byte costs, summed by day, purpose, carrier and direction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SUMS = ("number", "requests", "parts", "seconds", "bytes", "wire_bytes", "cost_reported", "cost_estimated")
_KEY = ("day", "purpose", "carrier", "direction")


def upgrade() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _KEY),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(*_KEY, "simulated", name=op.f("uq_ledger_entry_day_purpose_carrier_direction_simulated")),
    )
    op.create_table(
        "ledger_call",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_call")),
        sa.UniqueConstraint("session_id", name=op.f("uq_ledger_call_session_id")),
    )


def downgrade() -> None:
    op.drop_table("ledger_call")
    op.drop_table("ledger_entry")
