"""What people send through SMPP: parts joined, and each message once.

SMPP gives an incoming SMS neither an identity nor a time. A carrier that did not get our answer sends the SMS again, on
the next link; yet a person who writes "1" twice answers two questions. So what was answered stays on record until a
later answer of the carrier proves that ours arrived (TCP keeps their order), and only what was in doubt when a link
ended is recognised on the next one. What waits for its other parts lies sealed in a file, since the carrier has been
thanked for it.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from dataclasses import dataclass, replace

from services.channels.base import Inbound, Kind
from services.channels.outlets import Outlets
from services.channels.smpp.text import Part
from services.store.clock import DAY_MS, HOUR_MS, now_ms

_LOG = logging.getLogger(__name__)
NAME = "smpp"
_GAP = " [...] "
_LONGEST_TEXT = 2_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answered (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL, stored INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
    message TEXT NOT NULL, number INTEGER NOT NULL, parts INTEGER NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (message, number));
"""


@dataclass(frozen=True)
class Arrived:
    """One deliver_sm of a person."""

    sender: str
    recipient: str
    text: str
    part: Part


class Incoming:
    """The messages that arrive on the links of one carrier."""

    def __init__(self, journal: sqlite3.Connection, outlets: Outlets) -> None:
        self._journal, self._outlets = journal, outlets
        self._doubtful: dict[str, list[str]] = {}
        journal.executescript(_SCHEMA)

    def new_link(self) -> None:
        """From now on, what the last link left in doubt may come again."""
        self._journal.execute("DELETE FROM answered WHERE at < ?", (now_ms() - HOUR_MS,))
        self._doubtful = {}
        for found, digest in self._journal.execute("SELECT id, digest FROM answered ORDER BY at"):
            self._doubtful.setdefault(digest, []).append(found)

    def take(self, arrived: Arrived) -> str:
        """Has the store take one, and may be answered when it returns: the id to give to `proven`. Raises what the
        store raises; it may then come again."""
        digest = self._outlets.token(json.dumps([arrived.sender, arrived.recipient, arrived.text, vars(arrived.part)]))
        found = next(iter(self._doubtful.get(digest, [])), None)
        if found is None:
            found = secrets.token_hex(16)
            self._journal.execute("INSERT INTO answered VALUES (?, ?, 0, ?)", (found, digest, now_ms()))
            self._doubtful.setdefault(digest, []).append(found)
        (stored,) = self._journal.execute("SELECT stored FROM answered WHERE id = ?", (found,)).fetchone()
        if not stored:
            self._store(arrived, found)
            self._journal.execute("UPDATE answered SET stored = 1 WHERE id = ?", (found,))
        # On this link the same words are from now on another message.
        self._doubtful[digest].remove(found)
        return found

    def proven(self, ids: list[str]) -> None:
        """The carrier has our answers to these: they do not come again."""
        self._journal.executemany("DELETE FROM answered WHERE id = ?", [(found,) for found in ids])

    def give_up_waiting(self, *, older_than_ms: int = DAY_MS) -> None:
        """Hands over what there is of messages whose other parts never came."""
        old = "SELECT message FROM segment GROUP BY message HAVING max(at) < ?"
        for (key,) in self._journal.execute(old, (now_ms() - older_than_ms,)).fetchall():
            self._join(key)

    def _store(self, arrived: Arrived, found: str) -> None:
        part = arrived.part
        if part.of == 1:
            self._outlets.receive(_inbound(arrived, found))
            return
        key = self._outlets.token(json.dumps([arrived.sender, arrived.recipient, part.reference, part.of]))
        content = self._outlets.seal(json.dumps([arrived.sender, arrived.recipient, arrived.text]).encode())
        self._journal.execute(
            "INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?)",
            (key, part.number, part.of, found, content, now_ms()),
        )
        (there,) = self._journal.execute("SELECT count(*) FROM segment WHERE message = ?", (key,)).fetchone()
        if there == part.of:
            self._join(key)

    def _join(self, key: str) -> None:
        query = "SELECT number, parts, id, content FROM segment WHERE message = ? ORDER BY number"
        rows = self._journal.execute(query, (key,)).fetchall()
        texts, sender, recipient = {}, "", ""
        for number, _, _, content in rows:
            sender, recipient, texts[number] = json.loads(self._outlets.open(content))
        whole = "".join(texts.get(number, _GAP) for number in range(1, rows[0][1] + 1))
        # Its identity is its first part's: the same if the process dies before the parts are deleted.
        self._outlets.receive(_inbound(Arrived(sender, recipient, whole, Part()), rows[0][2]))
        self._journal.execute("DELETE FROM segment WHERE message = ?", (key,))


def _inbound(arrived: Arrived, found: str) -> Inbound:
    inbound = Inbound(NAME, Kind.SMS, found, arrived.sender, arrived.recipient)
    return replace(inbound, text=arrived.text.replace("\x00", "")[:_LONGEST_TEXT])
