"""Who did what to whose data: an append-only log whose entries are chained by a keyed hash.

Triggers on both databases refuse to change or delete an entry. Whoever goes round them breaks the chain, and nobody can
mend it without the keyring, which lies elsewhere.
"""

from __future__ import annotations

import getpass
import hmac
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import now_ms
from services.store.database import one_at_a_time
from services.store.keyring import Keyring, site_keys
from services.store.tables import audit

_PAGE = 1_000

Kind = Literal["account", "phone", "command", "system"]


@dataclass(frozen=True)
class Actor:
    """Who did it. A phone is named by its keyed hash."""

    kind: Kind
    name: str


SYSTEM = Actor("system", "jicho")


@dataclass(frozen=True)
class Head:
    """The newest entry: write it down elsewhere, and a log that was cut short shows too."""

    number: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first entry that is not what was written, and how that shows."""

    number: int
    why: str


def by_account(name: str) -> Actor:
    """Somebody signed in at the console."""
    return Actor("account", name)


def by_phone(msisdn: str) -> Actor:
    """Somebody on the phone, by number or by the number's keyed hash."""
    return Actor("phone", phone(msisdn))


def by_command() -> Actor:
    """Whoever runs a command on this machine."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # no such user on this machine, as in a container
        name = f"uid {os.getuid()}"
    return Actor("command", name)


def phone(msisdn: str) -> str:
    """How the log names a phone number."""
    from services.store.sealing import phone_token

    return phone_token(msisdn)


class Log:
    """The log of one store: its table, and the keyring that chains it."""

    def __init__(self, table: sa.Table, keys: Callable[[], Keyring]) -> None:
        self._table, self._keys = table, keys

    def record(self, tx: Connection, actor: Actor, action: str, subject: str = "", **detail: Any) -> None:
        """Appends an entry in the caller's transaction: what is undone is not logged, and what is done always is.

        `action` is a short verb phrase such as "forget" or "photograph-viewed"; `subject` names what it was done to,
        such as "screening:12" or `phone(number)`; `detail` is plain JSON. No phone number, name of a patient or code
        may be in either.
        """
        one_at_a_time(tx, "audit")
        newest = sa.select(self._table.c.number, self._table.c.hash).order_by(self._table.c.number.desc()).limit(1)
        last = tx.execute(newest).first()
        entry: dict[str, Any] = {
            "number": last.number + 1 if last else 1,
            "at": now_ms(),
            "actor_kind": actor.kind,
            "actor": actor.name,
            "action": action,
            "subject": subject,
            "detail": json.dumps(detail, sort_keys=True, separators=(",", ":")),
            "previous": last.hash if last else "",
        }
        tx.execute(self._table.insert().values(**entry, hash=self._chained(entry)))

    def verify(self, tx: Connection, *, head: Head | None = None) -> Head | Broken:
        """Follows the chain from its beginning: the newest entry, or the first broken one. `head` is one that was
        written down before, and must still be there."""
        number, previous = 0, ""
        for row in self.entries(tx):
            if row["number"] != number + 1:
                return Broken(number + 1, "is missing")
            if row["previous"] != previous:
                return Broken(row["number"], "does not follow the one before it")
            if not hmac.compare_digest(row["hash"], self._chained(row)):
                return Broken(row["number"], "was changed, or was not written with these keys")
            number, previous = row["number"], row["hash"]
            if head is not None and head.number == number and head.hash != previous:
                return Broken(number, "is not the one that was written down")
        if head is not None and head.number > number:
            return Broken(number + 1, "is missing")
        return Head(number, previous)

    def entries(self, tx: Connection, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every entry after a number, oldest first, as a dictionary of the table's columns."""
        in_order = sa.select(self._table).order_by(self._table.c.number).limit(_PAGE)
        while True:
            page = tx.execute(in_order.where(self._table.c.number > after)).mappings().all()
            yield from (dict(row) for row in page)
            if len(page) < _PAGE:
                return
            after = page[-1]["number"]

    def newest(self, tx: Connection, count: int) -> list[dict[str, Any]]:
        """The last entries, oldest of them first."""
        found = tx.execute(sa.select(self._table).order_by(self._table.c.number.desc()).limit(count)).mappings().all()
        return [dict(row) for row in reversed(found)]

    def _chained(self, entry: dict[str, Any]) -> str:
        names = ("number", "at", "actor_kind", "actor", "action", "subject", "detail", "previous")
        content = json.dumps([entry[name] for name in names], separators=(",", ":"), ensure_ascii=False)
        return self._keys().ring.chain(content.encode())


SITE = Log(audit, site_keys)
record, verify, entries, newest = SITE.record, SITE.verify, SITE.entries, SITE.newest
"""The site's own log."""
