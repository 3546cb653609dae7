"""Every table of the hub. Times are integer milliseconds UTC by the hub's clock, unless a column says that it is the
site's. No name, phone number or screening code ever comes here."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.audit_table import audit_table
from services.store.columns import ID, NAMING, at, key, of
from services.store.lock import store_lock

METADATA = sa.MetaData(naming_convention=NAMING, info={"keys": "hub"})

store_lock(METADATA)
audit = audit_table(METADATA)

# Each value is sealed for its name.
secret = sa.Table(
    "secret",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

site = sa.Table(
    "site",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False, unique=True),
    at("enrolled_at"),
    at("revoked_at", nullable=True),
    at("seen_at", nullable=True),
    sa.Column("highest_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("report", sa.JSON),
    at("reported_at", nullable=True),
)

enrolment = sa.Table(
    "enrolment",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False, unique=True),
    at("created_at"),
    at("expires_at"),
    of("site", nullable=True),
)

model = sa.Table(
    "model",
    METADATA,
    key(),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("doubt", sa.Float),
    sa.Column("oedema_threshold", sa.Float),
)

result = sa.Table(
    "result",
    METADATA,
    key(),
    of("site", index=False),
    sa.Column("screening_ref", sa.BigInteger, nullable=False),
    # Of the event that wrote these columns; 0 while only a later event about this screening has come.
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    # Once true it stays so and everything else is empty: an older batch that comes again must not bring it back.
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("programme", sa.Text),
    sa.Column("patient_key", sa.LargeBinary, index=True),
    sa.Column("sex", sa.Text),
    sa.Column("birth_year", sa.Integer),
    sa.Column("priority", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("worker_ref", sa.BigInteger),
    at("opened_at", nullable=True),
    at("decided_at", nullable=True),
    sa.Column("visit_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("visit", sa.Text),
    sa.Column("visit_reason", sa.Text),
    sa.Column("visit_told_by", sa.Text),
    at("visit_answered_at", nullable=True),
    at("received_at"),
    sa.UniqueConstraint("site_id", "screening_ref"),
    sa.Index("ix_result_site_id_decided_at", "site_id", "decided_at"),
    sa.Index("ix_result_received_at", "received_at"),
    # Reviewers look at the few that are not called normal.
    sa.Index(
        "ix_result_not_normal",
        "decided_at",
        sqlite_where=sa.text("outcome <> 'rescreen'"),
        postgresql_where=sa.text("outcome <> 'rescreen'"),
    ),
)

eye = sa.Table(
    "eye",
    METADATA,
    key(),
    of("result", index=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("eye", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("gradable", sa.Boolean, nullable=False),
    sa.Column("quality_score", sa.Float, nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("oedema_probability", sa.Float),
    of("model"),
    sa.UniqueConstraint("result_id", "position"),
)

down = sa.Table(
    "down",
    METADATA,
    key(),
    of("site", index=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    at("created_at"),
    at("acked_at", nullable=True),
    sa.Index("ix_down_site_id_id", "site_id", "id"),
)

reviewer = sa.Table(
    "reviewer",
    METADATA,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False, server_default="0"),
    at("locked_until", nullable=True),
    at("added_at"),
    at("removed_at", nullable=True),
)

sign_in = sa.Table(
    "sign_in",
    METADATA,
    key(),
    of("reviewer"),
    sa.Column("token_sha256", sa.LargeBinary, nullable=False, unique=True),
    at("at"),
    at("expires_at"),
)

# What a person found, never changed: another opinion is another row.
review = sa.Table(
    "review",
    METADATA,
    key(),
    of("result"),
    of("reviewer"),
    # Of the result that was looked at: a later one has to be looked at again.
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("outcome_before", sa.Text, nullable=False),
    sa.Column("eyes", sa.JSON, nullable=False),
    sa.Column("note", sa.Text),
    at("at"),
    sa.Column("told", sa.Text),
    at("told_at", nullable=True),
)

# What holds of a result once its reviews are taken together.
verdict = sa.Table(
    "verdict",
    METADATA,
    key(),
    sa.Column("result_id", ID, sa.ForeignKey("result.id"), nullable=False, unique=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("outcome", sa.Text, nullable=False),
    at("at"),
)

# Results without referable signs that were drawn for a second look.
drawn = sa.Table(
    "drawn",
    METADATA,
    key(),
    sa.Column("result_id", ID, sa.ForeignKey("result.id"), nullable=False, unique=True),
    at("at"),
)

# What sites saw in a week, counted anew whenever results of it come.
week = sa.Table(
    "week",
    METADATA,
    key(),
    of("site", index=False),
    of("model", index=False),
    sa.Column("week", sa.Integer, nullable=False),
    sa.Column("screenings", sa.Integer, nullable=False),
    sa.Column("positive", sa.Integer, nullable=False),
    sa.Column("ungradable", sa.Integer, nullable=False),
    # Photographs by confidence, in hundredths from 50 to 100.
    sa.Column("confidence", sa.JSON, nullable=False),
    at("counted_at"),
    sa.UniqueConstraint("week", "site_id", "model_id"),
)

alert = sa.Table(
    "alert",
    METADATA,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    of("site", nullable=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    at("opened_at"),
    at("seen_at"),
    at("closed_at", nullable=True),
    # One of a kind at a time: it is told once, until it ends.
    sa.Index(
        "ix_alert_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

# A photograph on its way (tus 1.0): what came is in `upload_chunk`, so that any process of the hub can go on with it.
upload = sa.Table(
    "upload",
    METADATA,
    key(),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    of("site"),
    sa.Column("photo_ref", sa.BigInteger, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("length", sa.Integer, nullable=False),
    sa.Column("offset", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False),
    # Grows whenever the site asks where to go on: a request from before writes nothing more.
    sa.Column("resumed", sa.Integer, nullable=False, server_default="0"),
    # Bytes that came for it, kept or not: what breaks cost.
    sa.Column("received", sa.BigInteger, nullable=False, server_default="0"),
    at("created_at"),
    at("expires_at"),
    sa.Index("ix_upload_expires_at", "expires_at"),
)

upload_chunk = sa.Table(
    "upload_chunk",
    METADATA,
    key(),
    of("upload", index=False),
    sa.Column("offset", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # sealed
    sa.UniqueConstraint("upload_id", "offset"),
)

photograph = sa.Table(
    "photograph",
    METADATA,
    key(),
    of("site", index=False),
    sa.Column("photo_ref", sa.BigInteger, nullable=False),
    sa.Column("screening_ref", sa.BigInteger, nullable=False),
    sa.Column("eye", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("media_key", sa.Text, nullable=False),
    sa.Column("heatmap_key", sa.Text),
    # The model's, of the photograph as it was taken and as it came here.
    sa.Column("probability_before", sa.Float),
    sa.Column("probability_after", sa.Float),
    at("received_at"),
    sa.UniqueConstraint("site_id", "photo_ref"),
    sa.Index("ix_photograph_site_id_screening_ref", "site_id", "screening_ref"),
)

# Files whose row is gone and that are still to be deleted: the store of media may be away.
media_erasure = sa.Table(
    "media_erasure",
    METADATA,
    key(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    at("asked_at"),
)


def media_keys(tx: Connection) -> set[str]:
    """The names of all files that the hub keeps."""
    rows = tx.execute(sa.select(photograph.c.media_key, photograph.c.heatmap_key))
    return {key for row in rows for key in row if key}
