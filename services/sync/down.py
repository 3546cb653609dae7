"""What the hub sends to this site: each thing is applied once, in the transaction that notes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy.engine import Connection

from services.sync.batch import Down
from services.sync.marks import mark, raise_mark

CURSOR = "down"
Handler = Callable[[Connection, Mapping[str, Any]], None]

KINDS: dict[str, str] = {
    "verdict": "services.sync.verdicts:apply",
    "photographs-wanted": "services.sync.photographs:choose_asked",
    "update": "services.updates.fetch:hinted",
}
"""What applies an item of a kind: "module:function" of a `handler(tx, content)`. It runs in one transaction with the
cursor; what it raises stops the cursor before this item, and it comes again."""


def seen(tx: Connection) -> int:
    """The number of the last item that was applied here."""
    return mark(tx, CURSOR)


def apply(tx: Connection, item: Down) -> bool:
    """Applies an item unless that was done. False if it was, or if this release knows no such kind."""
    if item.id <= seen(tx):
        return False
    raise_mark(tx, CURSOR, item.id)
    if item.kind not in KINDS:
        return False
    module, name = KINDS[item.kind].split(":")
    handler: Handler = getattr(import_module(module), name)
    handler(tx, item.content)
    return True


def in_order(items: Sequence[Down]) -> list[Down]:
    """As they have to be applied."""
    return sorted(items, key=lambda item: item.id)
