"""What goes to the hub, and what came from the web app."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import ID, at, key, of
from services.store.tables.metadata import METADATA

sync_event = sa.Table(
    "sync_event",
    METADATA,
    sa.Column("seq", ID, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("screening_id", ID, sa.ForeignKey("screening.id"), index=True),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()),
    at("created_at"),
    at("acked_at", nullable=True),
    # Few wait at any time: the sender looks at these only, every second.
    sa.Index(
        "ix_sync_event_waiting",
        "seq",
        sqlite_where=sa.text("acked_at IS NULL"),
        postgresql_where=sa.text("acked_at IS NULL"),
    ),
    sqlite_autoincrement=True,  # the hub knows events by their number: one that was erased must not be given again
)

sync_mark = sa.Table(
    "sync_mark",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

# A photograph that goes to the hub, and how far it has come (services/sync/photographs.py).
photo_upload = sa.Table(
    "photo_upload",
    METADATA,
    key(),
    sa.Column("photo_id", ID, sa.ForeignKey("photo.id"), nullable=False, unique=True),
    of("screening"),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # An inference worker was asked to make the file.
    sa.Column("asked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("url", sa.Text),
    sa.Column("offset", sa.Integer, nullable=False, server_default="0"),
    # A piece is under way, or was when the link or the power went: only the hub knows the offset.
    sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("bytes", sa.Integer),
    sa.Column("sha256", sa.Text),
    sa.Column("probability_before", sa.Float),
    sa.Column("probability_after", sa.Float),
    sa.Column("heat", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text),
    at("chosen_at"),
    at("sent_at", nullable=True),
    sa.Index("ix_photo_upload_state", "state"),
)

# One-time codes by which a health worker's phone is enrolled for the web app (services/screening/pocket.py).
app_code = sa.Table(
    "app_code",
    METADATA,
    key(),
    of("worker"),
    sa.Column("sha256", sa.Text, nullable=False),
    at("asked_at"),
    at("used_at", nullable=True),
)

app_device = sa.Table(
    "app_device",
    METADATA,
    key(),
    of("worker"),
    sa.Column("token_sha256", sa.Text, nullable=False, unique=True),
    at("enrolled_at"),
    at("seen_at", nullable=True),
    # Lost, or given away: at its next contact it erases what it holds.
    at("revoked_at", nullable=True),
)

# A screening that was opened on a phone, by the name that the phone gave it.
app_screening = sa.Table(
    "app_screening",
    METADATA,
    key(),
    of("app_device"),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("screening_id", ID, sa.ForeignKey("screening.id"), nullable=False, unique=True),
    # The worker says that only one eye can be seen.
    sa.Column("one_eye", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("app_device_id", "ref"),
)

# What the phone's own model made of a photograph, beside what ours does.
app_reading = sa.Table(
    "app_reading",
    METADATA,
    key(),
    sa.Column("photo_id", ID, sa.ForeignKey("photo.id"), nullable=False, unique=True),
    of("screening"),
    sa.Column("content", sa.JSON, nullable=False),
    at("taken_at"),
)
