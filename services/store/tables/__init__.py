"""Every table of the store. Times are integer milliseconds UTC."""

from __future__ import annotations

from services.store.tables.accounts import account, account_session, wrong_try
from services.store.tables.exchange import (
    app_code,
    app_device,
    app_reading,
    app_screening,
    photo_upload,
    sync_event,
    sync_mark,
)
from services.store.tables.ledger import ledger_call, ledger_entry
from services.store.tables.log import audit
from services.store.tables.messages import clip, conversation, inbound, message, outbox
from services.store.tables.metadata import METADATA
from services.store.tables.people import caller, opt_out, phone_number, risk_assessment, symptom_assessment, worker
from services.store.tables.referrals import facility, follow_up, referral
from services.store.tables.screenings import (
    consent,
    photo,
    photo_question,
    reading,
    retake,
    review,
    screening,
)

__all__ = [
    "METADATA",
    "account",
    "account_session",
    "app_code",
    "app_device",
    "app_reading",
    "app_screening",
    "audit",
    "caller",
    "clip",
    "consent",
    "conversation",
    "facility",
    "follow_up",
    "inbound",
    "ledger_call",
    "ledger_entry",
    "message",
    "opt_out",
    "outbox",
    "phone_number",
    "photo",
    "photo_question",
    "photo_upload",
    "reading",
    "referral",
    "retake",
    "review",
    "risk_assessment",
    "screening",
    "symptom_assessment",
    "sync_event",
    "sync_mark",
    "worker",
    "wrong_try",
]
