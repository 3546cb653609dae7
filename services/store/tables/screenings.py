"""Screenings from consent to what a reviewer said."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import ID, at, key, of
from services.store.sealing import CodeToken, PhoneToken, SealedText
from services.store.tables.metadata import METADATA

screening = sa.Table(
    "screening",
    METADATA,
    key(),
    sa.Column("code", CodeToken, nullable=False, unique=True),
    # The code itself, for those who may be told it.
    sa.Column("code_sealed", SealedText, nullable=False, server_default=""),
    sa.Column("programme", sa.Text, nullable=False),
    of("worker"),
    sa.Column("sex", sa.Text, nullable=False),
    sa.Column("birth_year", sa.Integer, nullable=False),
    sa.Column("patient_msisdn", PhoneToken, index=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False, server_default="routine"),
    sa.Column("outcome", sa.Text),
    at("opened_at"),
    at("decided_at", nullable=True),
)

consent = sa.Table(
    "consent",
    METADATA,
    key(),
    of("screening"),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("msisdn", PhoneToken),
    sa.Column("channel", sa.Text, nullable=False),
    at("given_at"),
    at("withdrawn_at", nullable=True),
    sa.Column("withdrawn_by", sa.Text),
    sa.Column("withdrawn_channel", sa.Text),
)

photo = sa.Table(
    "photo",
    METADATA,
    key(),
    of("inbound"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("sender", PhoneToken, nullable=False),
    sa.Column("mime_type", sa.Text, nullable=False),
    sa.Column("locator", sa.Text, nullable=False),
    sa.Column("expected_sha256", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text),
    of("screening", nullable=True),
    sa.Column("eye", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    at("received_at"),
    sa.UniqueConstraint("inbound_id", "position"),
)

reading = sa.Table(
    "reading",
    METADATA,
    key(),
    sa.Column("photo_id", ID, sa.ForeignKey("photo.id"), nullable=False, unique=True),
    of("screening"),
    sa.Column("eye", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("gradable", sa.Boolean, nullable=False),
    sa.Column("quality_score", sa.Float, nullable=False),
    sa.Column("quality_reasons", sa.JSON, nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("confidence", sa.Float),
    sa.Column("oedema_probability", sa.Float),
    sa.Column("signs", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("heatmap", sa.Text),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("tier_reason", sa.Text, nullable=False),
    sa.Column("model_name", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("model_sha256", sa.Text, nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("doubt", sa.Float),
    sa.Column("oedema_threshold", sa.Float),
    sa.Column("milliseconds", sa.JSON, nullable=False),
    at("read_at"),
)

# What a reviewer at the hub, or somebody here, found. A verdict that came too late or was not needed is kept and
# not applied.
review = sa.Table(
    "review",
    METADATA,
    key(),
    of("screening"),
    sa.Column("review_ref", sa.BigInteger, nullable=False),
    # The hub's number of the reviewer: no name comes here. Below 0: the number of an account of this site.
    sa.Column("reviewer", sa.BigInteger, nullable=False),
    of("account", nullable=True, index=False),
    # Of somebody at this site: "nurse" or "reviewer".
    sa.Column("role", sa.Text),
    sa.Column("outcome_before", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("eyes", sa.JSON, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("applied", sa.Boolean, nullable=False),
    # Readings up to this one are what was reviewed.
    sa.Column("last_reading", sa.BigInteger, nullable=False),
    at("reviewed_at"),
    at("applied_at"),
    sa.UniqueConstraint("screening_id", "review_ref", "reviewed_at"),
)

retake = sa.Table(
    "retake",
    METADATA,
    key(),
    of("screening"),
    sa.Column("eye", sa.Text, nullable=False),
    sa.Column("photo_id", ID, sa.ForeignKey("photo.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    at("asked_at"),
    at("next_at", nullable=True),
    sa.UniqueConstraint("screening_id", "eye"),
    sa.Index("ix_retake_next_at", "next_at"),
)

# A photograph that belongs to no case: what is asked about it, and what was found. Nothing here says by whom.
photo_question = sa.Table(
    "photo_question",
    METADATA,
    key(),
    sa.Column("photo_id", ID, sa.ForeignKey("photo.id"), nullable=False, unique=True),
    sa.Column("programme", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    at("asked_at"),
    # None though it was answered: nothing was sure enough to be said.
    sa.Column("found", sa.Text),
    sa.Column("probability", sa.Float),
    sa.Column("tier", sa.Text),
    sa.Column("tier_reason", sa.Text),
    sa.Column("model_name", sa.Text),
    sa.Column("model_version", sa.Text),
    sa.Column("model_sha256", sa.Text),
    sa.Column("abstain_below", sa.Float),
    sa.Column("milliseconds", sa.JSON),
    at("answered_at", nullable=True),
)
