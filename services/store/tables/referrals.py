"""Where people are sent, and whether they went."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import ID, at, key, of
from services.store.tables.metadata import METADATA

facility = sa.Table(
    "facility",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("town", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False, server_default=""),
    sa.Column("services", sa.JSON, nullable=False),
    sa.Column("days", sa.JSON, nullable=False),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("ours", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.UniqueConstraint("name", "town"),
)

referral = sa.Table(
    "referral",
    METADATA,
    key(),
    sa.Column("screening_id", ID, sa.ForeignKey("screening.id"), nullable=False, unique=True),
    of("facility", nullable=True),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("messages", sa.Integer, nullable=False, server_default="0"),
    sa.Column("answer", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("answered_by", sa.Text),
    at("opened_at"),
    at("due_at"),
    at("next_at", nullable=True),
    at("answered_at", nullable=True),
    at("worker_told_at", nullable=True),
    sa.Index("ix_referral_next_at", "next_at"),
)

follow_up = sa.Table(
    "follow_up",
    METADATA,
    key(),
    sa.Column("screening_id", ID, sa.ForeignKey("screening.id"), nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    at("due_at"),
    at("next_at", nullable=True),
    at("invited_at", nullable=True),
    at("answered_at", nullable=True),
    sa.Index("ix_follow_up_next_at", "next_at"),
)
