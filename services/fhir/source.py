"""Where changes are read from: a site's store or the hub's, in the order in which things last changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.fhir.records import Change
from services.programmes import shared

PROGRAMMES = shared()
"""Those whose findings have codes that others know."""


@dataclass(frozen=True, order=True)
class Cursor:
    """The last change that somebody has: its time (ms), and its number among those of the same millisecond."""

    at: int = 0
    number: int = 0


class Source(Protocol):
    """The site or the hub."""

    def changes(self, cursor: Cursor, limit: int) -> list[Change]:
        """The next changes after a cursor, at most so many."""


def latest(tx: Connection, *times: Any) -> sa.ColumnElement[int]:
    """The latest of some times, any of which may be missing."""
    known = [sa.func.coalesce(time, 0) for time in times]
    found: sa.ColumnElement[int] = (sa.func.max if tx.dialect.name == "sqlite" else sa.func.greatest)(*known)
    return found


def after(cursor: Cursor, at: sa.ColumnElement[int], number: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a row comes behind a cursor."""
    return sa.or_(at > cursor.at, sa.and_(at == cursor.at, number > cursor.number))
