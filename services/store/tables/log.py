"""The audit log, and which keyring the store is sealed with."""

from __future__ import annotations

from services.store.audit_table import audit_table
from services.store.lock import store_lock
from services.store.tables.metadata import METADATA

audit = audit_table(METADATA)

store_lock(METADATA)
