"""A recovery key that tests know."""

from __future__ import annotations

from services.backup.recovery_key import _written

KEY = _written(bytes(range(16)))
