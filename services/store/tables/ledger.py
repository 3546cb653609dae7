"""What traffic cost."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import at, key
from services.store.tables.metadata import METADATA

ledger_entry = sa.Table(
    "ledger_entry",
    METADATA,
    key(),
    # Local, YYYY-MM-DD. One row is all of a day's traffic of one kind: a year of a busy site is some ten thousand rows.
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("parts", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("wire_bytes", sa.BigInteger, nullable=False),
    # Billionths of a US dollar: one byte costs one to three of them.
    sa.Column("cost_reported", sa.BigInteger, nullable=False),
    sa.Column("cost_estimated", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("day", "purpose", "carrier", "direction", "simulated"),
)

ledger_call = sa.Table(
    "ledger_call",
    METADATA,
    key(),
    sa.Column("session_id", sa.Text, nullable=False, unique=True),
    at("ended_at"),
)
