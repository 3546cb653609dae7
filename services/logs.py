"""Structured logs: one JSON object a line on standard error, without personal data."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
# A phone number, a screening code or a path token that slipped into a text or an exception never reaches the disk.
_PERSONAL = re.compile(r"\+?\d{9,15}|\b\d{6}\b|(?<=/at/)[^/\s]+|(?<=/mm7/)[^/\s]+")
CAUSE: ContextVar[str] = ContextVar("cause", default="")
"""Which request or piece of work a line is logged because of: `3f9c01ab`, `outbox-17`."""


class _JsonLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "event": redact(record.getMessage()),
        }
        if cause := CAUSE.get():
            line["cause"] = cause
        line |= {
            key: redact(value) if isinstance(value, str) else value
            for key, value in vars(record).items()
            if key not in _STANDARD
        }
        if record.exc_info:
            line["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


def redact(text: str) -> str:
    """The text with everything that looks like a number, a code or a token taken out."""
    return _PERSONAL.sub("…", text)


def configure(process: str, level: str) -> None:
    """Sends the logs of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "urllib3", "rq.worker", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that a caller waits for another is no warning
