"""Every setting, in one validated object.

Values come from the environment and from a `.env` file: `JICHO_…` for Jicho's own, and the names everybody uses,
`DATABASE_URL` and `REDIS_URL`, for the two servers. An unknown `JICHO_…` name or a bad value stops the start.
"""

from __future__ import annotations

from services.settings.kinds import SettingsError
from services.settings.loading import current, load
from services.settings.whole import Settings

__all__ = ["Settings", "SettingsError", "current", "load"]
