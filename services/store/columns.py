"""Columns that many tables of the site's and of the hub's store have, and how constraints are named."""

from __future__ import annotations

import sqlalchemy as sa

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers only INTEGER primary keys by itself


def key() -> sa.Column[int]:
    """The number of a row."""
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def at(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """A time, in milliseconds."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def of(table: str, *, nullable: bool = False, index: bool = True) -> sa.Column[int]:
    """The number of another table's row."""
    return sa.Column(f"{table}_id", ID, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index)
