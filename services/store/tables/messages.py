"""What came in, what is being talked about, what goes out, and the work that waits."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import at, key, of
from services.store.sealing import CarrierToken, PhoneToken, SealedText
from services.store.tables.metadata import METADATA

inbound = sa.Table(
    "inbound",
    METADATA,
    key(),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("provider_id", CarrierToken, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sender", PhoneToken, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("text", SealedText, nullable=False),
    at("received_at"),
    sa.UniqueConstraint("carrier", "provider_id"),
)

conversation = sa.Table(
    "conversation",
    METADATA,
    key(),
    sa.Column("msisdn", PhoneToken, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    # Who talks, what was asked, answered and said: see flows/sessions.py.
    sa.Column("content", SealedText, nullable=False, server_default=""),
    sa.Column("language", sa.Text),
    sa.Column("counter", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False),
    at("created_at"),
    at("updated_at"),
    sa.Index("ix_conversation_msisdn_channel_id", "msisdn", "channel", "id"),
    # Few are unfinished at any time: a dialled code looks for them among these only.
    sa.Index(
        "ix_conversation_active",
        "msisdn",
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    ),
)

message = sa.Table(
    "message",
    METADATA,
    key(),
    sa.Column("dedupe_key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("recipient", PhoneToken, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("text", SealedText, nullable=False),
    sa.Column("buttons", SealedText, nullable=False, server_default=""),
    of("screening", nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("carrier", sa.Text),
    sa.Column("provider_id", CarrierToken, index=True),
    sa.Column("cost", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    at("created_at"),
    at("expires_at"),
    at("sent_at", nullable=True),
    at("settled_at", nullable=True),
)

outbox = sa.Table(
    "outbox",
    METADATA,
    key(),
    sa.Column("dedupe_key", sa.Text, nullable=False, unique=True),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("argument", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    at("not_before"),
    at("created_at"),
    at("dispatched_at", nullable=True),
    sa.Index("ix_outbox_state_not_before", "state", "not_before"),
)

clip = sa.Table(
    "clip",
    METADATA,
    key(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("params", SealedText, nullable=False, server_default=""),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("pace", sa.Text, nullable=False),
    sa.Column("call", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    at("created_at"),
)
