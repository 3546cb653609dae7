"""Health workers, callers, and what they answered about themselves."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import at, key, of
from services.store.sealing import PhoneToken, SealedText
from services.store.tables.metadata import METADATA

# Every phone number is here, sealed, and nowhere else: other tables hold its keyed hash.
phone_number = sa.Table(
    "phone_number",
    METADATA,
    key(),
    sa.Column("token", PhoneToken, nullable=False, unique=True),
    sa.Column("sealed", SealedText, nullable=False),
    at("added_at"),
)

worker = sa.Table(
    "worker",
    METADATA,
    key(),
    sa.Column("msisdn", PhoneToken, nullable=False, unique=True),
    sa.Column("name", SealedText, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    # The keyed hash of her PIN, once she chose one (services/screening/pins.py).
    sa.Column("pin", sa.Text),
    at("added_at"),
)

caller = sa.Table(
    "caller",
    METADATA,
    key(),
    sa.Column("msisdn", PhoneToken, nullable=False, unique=True),
    sa.Column("language", sa.Text),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default="0"),
    at("locked_until", nullable=True),
    at("updated_at"),
)

opt_out = sa.Table(
    "opt_out",
    METADATA,
    key(),
    sa.Column("msisdn", PhoneToken, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    at("at"),
    sa.UniqueConstraint("msisdn", "kind"),
)

symptom_assessment = sa.Table(
    "symptom_assessment",
    METADATA,
    key(),
    of("worker"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("age", sa.Integer, nullable=False),
    sa.Column("symptoms", sa.JSON, nullable=False),
    sa.Column("consent_version", sa.Text, nullable=False),
    at("asked_at"),
    sa.Column("probability", sa.Float),
    sa.Column("advised", sa.Boolean),
    sa.Column("model_name", sa.Text),
    sa.Column("model_version", sa.Text),
    sa.Column("model_sha256", sa.Text),
    sa.Column("threshold", sa.Float),
    at("judged_at", nullable=True),
)

risk_assessment = sa.Table(
    "risk_assessment",
    METADATA,
    key(),
    sa.Column("msisdn", PhoneToken, index=True),
    of("worker", nullable=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("instrument", sa.Text, nullable=False),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("points_low", sa.Integer, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("missing", sa.JSON, nullable=False),
    sa.Column("consent_version", sa.Text, nullable=False),
    at("answered_at"),
)
