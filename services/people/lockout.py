"""Who guesses waits: passwords and PINs cannot be tried for ever, at one account or from one address.

A subject is an account, an address or a worker, known or not: nobody learns by it which names there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.store.database import insert_once
from services.store.tables import wrong_try

_DOUBLINGS = 6


@dataclass(frozen=True)
class Rule:
    """So many wrong tries are free; after that each one locks for twice as long as the one before, up to an hour."""

    kind: str
    free: int
    first_ms: int = MINUTE_MS


ACCOUNT = Rule("account", free=5)
ADDRESS = Rule("address", free=20)
PIN = Rule("pin", free=5, first_ms=10 * MINUTE_MS)


def locked_until(tx: Connection, rule: Rule, subject: object) -> int | None:
    """When the next try is looked at, in ms UTC; None: now."""
    until: int | None = tx.execute(
        sa.select(wrong_try.c.locked_until).where(wrong_try.c.subject == _named(rule, subject))
    ).scalar()
    # A clock that was put back must not lock anybody out for longer than any rule does.
    return until if until is not None and now_ms() < until <= now_ms() + HOUR_MS else None


def count_wrong(tx: Connection, rule: Rule, subject: object) -> None:
    """One more wrong try; those of a day ago are forgotten."""
    now, name = now_ms(), _named(rule, subject)
    tx.execute(wrong_try.delete().where(wrong_try.c.at < now - DAY_MS))
    insert_once(tx, wrong_try, {"subject": name, "wrong": 0, "at": now}, key=("subject",))
    of_subject = wrong_try.c.subject == name
    wrong = tx.execute(sa.select(wrong_try.c.wrong).where(of_subject)).scalar_one() + 1
    wait = min(HOUR_MS, rule.first_ms * 2 ** min(max(0, wrong - rule.free), _DOUBLINGS))
    until = now + wait if wrong >= rule.free else None
    tx.execute(wrong_try.update().where(of_subject).values(wrong=wrong, at=now, locked_until=until))


def forgive(tx: Connection, rule: Rule, subject: object) -> None:
    """A right one clears the count."""
    tx.execute(wrong_try.delete().where(wrong_try.c.subject == _named(rule, subject)))


def _named(rule: Rule, subject: object) -> str:
    return f"{rule.kind}:{subject}"
