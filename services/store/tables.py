"""Every table of the store. Times are integer milliseconds UTC; phone numbers are E.164 text."""

from __future__ import annotations

import sqlalchemy as sa

from services.store.columns import ID, NAMING, at, key, of

METADATA = sa.MetaData(naming_convention=NAMING)

worker = sa.Table(
    "worker",
    METADATA,
    key(),
    sa.Column("msisdn", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    at("added_at"),
)

caller = sa.Table(
    "caller",
    METADATA,
    key(),
    sa.Column("msisdn", sa.Text, nullable=False, unique=True),
    sa.Column("language", sa.Text),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default="0"),
    at("locked_until", nullable=True),
    at("updated_at"),
)

opt_out = sa.Table(
    "opt_out",
    METADATA,
    key(),
    sa.Column("msisdn", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    at("at"),
    sa.UniqueConstraint("msisdn", "kind"),
)

screening = sa.Table(
    "screening",
    METADATA,
    key(),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("programme", sa.Text, nullable=False),
    of("worker"),
    sa.Column("sex", sa.Text, nullable=False),
    sa.Column("birth_year", sa.Integer, nullable=False),
    sa.Column("patient_msisdn", sa.Text, index=True),
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
    sa.Column("msisdn", sa.Text),
    sa.Column("channel", sa.Text, nullable=False),
    at("given_at"),
    at("withdrawn_at", nullable=True),
    sa.Column("withdrawn_by", sa.Text),
    sa.Column("withdrawn_channel", sa.Text),
)

inbound = sa.Table(
    "inbound",
    METADATA,
    key(),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    at("received_at"),
    sa.UniqueConstraint("carrier", "provider_id"),
)

photo = sa.Table(
    "photo",
    METADATA,
    key(),
    of("inbound"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
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

# What a reviewer at the hub found. A verdict that came too late or was not needed is kept and not applied.
review = sa.Table(
    "review",
    METADATA,
    key(),
    of("screening"),
    sa.Column("review_ref", sa.BigInteger, nullable=False),
    # The hub's number of the reviewer: no name comes here.
    sa.Column("reviewer", sa.BigInteger, nullable=False),
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
    sa.Column("msisdn", sa.Text, index=True),
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

conversation = sa.Table(
    "conversation",
    METADATA,
    key(),
    sa.Column("msisdn", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("caller", sa.JSON, nullable=False),
    sa.Column("journal", sa.JSON, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("ussd_text", sa.Text, nullable=False, server_default=""),
    sa.Column("last_answer", sa.Text, nullable=False, server_default=""),
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
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("buttons", sa.JSON, nullable=False),
    of("screening", nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("carrier", sa.Text),
    sa.Column("provider_id", sa.Text, index=True),
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
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("pace", sa.Text, nullable=False),
    sa.Column("call", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    at("created_at"),
)

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

ledger_entry = sa.Table(
    "ledger_entry",
    METADATA,
    key(),
    # Local, YYYY-MM-DD. One row is all of a day's traffic of one kind: a year of a busy site is some ten thousand rows.
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("parts", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("wire_bytes", sa.BigInteger, nullable=False),
    # Billionths of a US dollar: one byte costs one to three of them.
    sa.Column("cost_reported", sa.BigInteger, nullable=False),
    sa.Column("cost_estimated", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("day", "purpose", "carrier", "direction", "simulated"),
)

ledger_call = sa.Table(
    "ledger_call",
    METADATA,
    key(),
    sa.Column("session_id", sa.Text, nullable=False, unique=True),
    at("ended_at"),
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
)

# A screening that was opened on a phone, by the name that the phone gave it.
app_screening = sa.Table(
    "app_screening",
    METADATA,
    key(),
    of("app_device"),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("screening_id", ID, sa.ForeignKey("screening.id"), nullable=False, unique=True),
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
