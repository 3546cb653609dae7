"""Delivery reports that a modem or an SMPP link waits for. They name parts of messages, by references that come again
(a modem counts to 255) or that were lost when the process died; the store knows whole messages.

Kept in a small SQLite file of the process that holds the session: what it knows outlives it. Numbers are keyed hashes.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from services.channels.base import DeliveryReport, DeliveryState
from services.store.clock import DAY_MS, now_ms

_LOG = logging.getLogger(__name__)
_KEPT_MS = 3 * DAY_MS
_SCHEMA = """
CREATE TABLE IF NOT EXISTS awaited (
    id TEXT PRIMARY KEY, number TEXT NOT NULL, parts INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS part (
    awaited TEXT NOT NULL REFERENCES awaited (id), reference TEXT NOT NULL, state TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS part_reference ON part (reference);
"""


def open_journal(path: Path) -> sqlite3.Connection:
    """The file in which a session keeps what it must know after it was killed. For the thread that opens it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = sqlite3.connect(path, isolation_level=None)
    path.chmod(0o600)
    journal.execute("PRAGMA synchronous=FULL")
    return journal


class Awaited:
    """The messages of one carrier whose reports are still to come. `token` makes the keyed hash of a number.

    `by_number`: a reference alone says nothing, since it is given again within the hour.
    """

    def __init__(
        self, carrier: str, journal: sqlite3.Connection, token: Callable[[str], str], *, by_number: bool
    ) -> None:
        self._carrier, self._journal, self._token, self._by_number = carrier, journal, token, by_number
        journal.executescript(_SCHEMA)

    def expect(self, number: str, parts: int) -> str:
        """Before the first part goes out: the id by which the store will know the message."""
        self._forget_old()
        found = secrets.token_hex(8)
        self._journal.execute("INSERT INTO awaited VALUES (?, ?, ?, ?)", (found, self._token(number), parts, now_ms()))
        return found

    def went(self, awaited: str, reference: str) -> None:
        """One part was taken, under this reference."""
        self._journal.execute("INSERT INTO part (awaited, reference) VALUES (?, ?)", (awaited, reference))

    def drop(self, awaited: str) -> None:
        """Nothing of it went out."""
        self._journal.execute("DELETE FROM part WHERE awaited = ?", (awaited,))
        self._journal.execute("DELETE FROM awaited WHERE id = ?", (awaited,))

    def reported(
        self, number: str, references: tuple[str, ...], state: DeliveryState | None, status: str, reason: str = ""
    ) -> DeliveryReport | None:
        """What the report of one part says of its message, or None if that is not known yet. `references`: how the part
        may have been called when it was taken, the likeliest first.

        A message is delivered when all its parts are, and failed when one is. A reference that nobody knows belongs to
        the newest message to this number of which not every part's reference was written down: the process died.
        """
        if state not in (DeliveryState.DELIVERED, DeliveryState.FAILED):
            return None
        place = self._find(number, references)
        if place is None:
            _LOG.info("report of a part that nobody waits for", extra={"carrier": self._carrier, "status": status})
            return None
        found, reference = place
        self._journal.execute(
            "UPDATE part SET state = ? WHERE awaited = ? AND reference = ?", (state.value, found, reference)
        )
        (parts,) = self._journal.execute("SELECT parts FROM awaited WHERE id = ?", (found,)).fetchone()
        (delivered,) = self._journal.execute(
            "SELECT count(*) FROM part WHERE awaited = ? AND state = ?", (found, DeliveryState.DELIVERED.value)
        ).fetchone()
        if state is DeliveryState.DELIVERED and delivered < parts:
            return None
        return DeliveryReport(self._carrier, found, state, status, reason)

    def settled(self, awaited: str) -> None:
        """The store has the report: nothing more is waited for."""
        self.drop(awaited)

    def _find(self, number: str, references: tuple[str, ...]) -> tuple[str, str] | None:
        token = self._token(number)
        for reference in references:
            row = self._journal.execute(
                "SELECT id FROM part JOIN awaited ON awaited = id WHERE reference = ? AND (number = ? OR NOT ?)"
                " ORDER BY part.state, at DESC LIMIT 1",
                (reference, token, self._by_number),
            ).fetchone()
            if row is not None:
                return str(row[0]), reference
        row = self._journal.execute(
            "SELECT id FROM awaited WHERE number = ? AND parts > (SELECT count(*) FROM part WHERE awaited = id)"
            " ORDER BY at DESC LIMIT 1",
            (token,),
        ).fetchone()
        if row is None:
            return None
        self.went(str(row[0]), references[0])
        return str(row[0]), references[0]

    def _forget_old(self) -> None:
        before = now_ms() - _KEPT_MS
        self._journal.execute("DELETE FROM part WHERE awaited IN (SELECT id FROM awaited WHERE at < ?)", (before,))
        self._journal.execute("DELETE FROM awaited WHERE at < ?", (before,))
