"""Which settings changed since the last start, for the audit log: values in the clear, of secrets that they changed."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.engine import Connection

from services.settings import Settings
from services.store.audit import SYSTEM, record
from services.store.keyring import site_keys
from services.store.tables import audit

_ACTION = "settings"


def note_settings(tx: Connection, settings: Settings) -> dict[str, Any]:
    """Logs what is not as it was at the last start: all of it at the first. What that was."""
    before: dict[str, Any] = {}
    entries = sa.select(audit.c.detail).where(audit.c.action == _ACTION).order_by(audit.c.number)
    for detail in tx.execute(entries).scalars():
        before |= json.loads(detail)
    now = {name: _shown(getattr(settings, name)) for name in type(settings).model_fields}
    changed = {name: value for name, value in now.items() if name not in before or before[name] != value}
    if changed:
        record(tx, SYSTEM, _ACTION, **changed)
    return changed


def _shown(value: object) -> Any:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return f"secret {site_keys().ring.token('setting', secret)[:8]}" if secret else "not set"
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)
