"""The audit log, to which rows are added and nothing else, and which keyring the store is sealed with."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.append_only import append_only
from services.store.columns import at
from services.store.lock import store_lock
from services.store.tables.metadata import METADATA

audit = sa.Table(
    "audit",
    METADATA,
    # Counted by us, not by the database: a number that is missing shows.
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    at("at"),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
append_only(audit)

store_lock(METADATA)
