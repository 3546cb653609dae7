"""Where a code was said or written: what is sealed cannot be searched, so it is opened and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.store.rows import opened
from services.store.sealing import NOTHING
from services.store.tables import conversation, inbound, message

_PAGE = 500


@dataclass(frozen=True)
class _Where:
    """A table whose rows hold words: which column they are in, when they were written, and what erases them."""

    table: sa.Table
    column: sa.Column[Any]
    written_at: sa.Column[Any]
    erased: dict[str, Any]


_WHERE = (
    _Where(
        conversation,
        conversation.c.content,
        conversation.c.updated_at,
        {"content": NOTHING, "state": "ended"},
    ),
    _Where(message, message.c.text, message.c.created_at, {"text": NOTHING, "buttons": NOTHING}),
    _Where(inbound, inbound.c.text, inbound.c.received_at, {"text": NOTHING}),
)


def mentions(tx: Connection, words: str, *, since: int, before: int) -> list[tuple[_Where, list[int]]]:
    """The rows in which these words stand that were written between two times."""
    return [(where, list(_in(tx, where, words, since, before))) for where in _WHERE]


def erase_mentions(tx: Connection, found: list[tuple[_Where, list[int]]]) -> None:
    """Erases what was said or written in these rows."""
    for where, numbers in found:
        for start in range(0, len(numbers), _PAGE):
            page = where.table.c.id.in_(numbers[start : start + _PAGE])
            tx.execute(where.table.update().where(page).values(where.erased))


def _in(tx: Connection, where: _Where, words: str, since: int, before: int) -> Iterator[int]:
    after = 0
    while True:
        rows = tx.execute(
            sa.select(where.table)
            .where(
                where.table.c.id > after,
                sa.cast(where.column, sa.Text) != "",
                where.written_at >= since,
                where.written_at <= before,
            )
            .order_by(where.table.c.id)
            .limit(_PAGE)
        ).all()
        yield from (row.id for row in rows if words in opened(where.column, row))
        if len(rows) < _PAGE:
            return
        after = rows[-1].id
