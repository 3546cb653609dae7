"""The table of an audit log, for the site's store or the hub's: rows are added to it and nothing else."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.append_only import append_only
from services.store.columns import at


def audit_table(tables: sa.MetaData) -> sa.Table:
    """See `services.store.audit`."""
    found = sa.Table(
        "audit",
        tables,
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
    append_only(found)
    return found
