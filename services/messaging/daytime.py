"""When people may be written to unasked: not between eight in the evening and eight in the morning, local time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.settings import current

MORNING, EVENING = 8, 20


def is_night(at_ms: int) -> bool:
    """Whether people may be asleep at this time."""
    return not MORNING <= _local(at_ms).hour < EVENING


def next_morning(at_ms: int) -> int:
    """The end of the night that this time is in, or of the next one."""
    local = _local(at_ms)
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return int(morning.timestamp() * 1000)


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(current().timezone))
