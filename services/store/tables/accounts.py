"""Who may use the console of a site (services/people). Names are in small letters."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import at, key, of
from services.store.sealing import SealedText
from services.store.tables.metadata import METADATA

account = sa.Table(
    "account",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    # It was printed for her: she has to choose her own.
    sa.Column("password_given", sa.Boolean, nullable=False),
    sa.Column("totp_secret", SealedText),
    # The newest code that was used: none is taken twice.
    sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("language", sa.Text),
    at("added_at"),
    at("seen_at", nullable=True),
    at("disabled_at", nullable=True),
)

account_session = sa.Table(
    "account_session",
    METADATA,
    key(),
    of("account"),
    sa.Column("token_sha256", sa.Text, nullable=False, unique=True),
    at("began_at"),
    at("seen_at"),
    at("ends_at"),
)

# Wrong passwords and PINs, by account, address or worker.
wrong_try = sa.Table(
    "wrong_try",
    METADATA,
    key(),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("wrong", sa.Integer, nullable=False),
    at("at"),
    at("locked_until", nullable=True),
)
