"""What the carriers carried and the store holds, compared with what was promised: is anything lost or done twice?"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import sqlalchemy as sa

from services.bench.chaos_clinic import Promise
from services.messaging.outbox import text_of
from services.screening.codes import code_of
from services.store.database import Database
from services.store.phones import number_of
from services.store.tables import message, outbox, photo, reading, screening

_DONE_WITHIN_S = 1800.0


def wait_until_done(url: str) -> int:
    """Waits until nothing is left to do but what is due in days. How much is left after half an hour."""
    until = time.monotonic() + _DONE_WITHIN_S
    while True:
        db = Database(url)
        with db.read() as tx:
            soon = int(time.time() * 1000) + 2 * 3_600_000
            waits = outbox.c.state.in_(("pending", "dispatched", "held")) & (outbox.c.not_before < soon)
            left = tx.execute(sa.select(sa.func.count()).select_from(outbox).where(waits)).scalar_one()
            sending = message.c.state == "sending"
            left += tx.execute(sa.select(sa.func.count()).select_from(message).where(sending)).scalar_one()
        db.close()
        if not left or time.monotonic() > until:
            return int(left)
        time.sleep(1)


def judge(url: str, ledger: list[dict[str, Any]], promised: list[Promise]) -> dict[str, Any]:
    """What became of each photograph that was promised, by the store at `url` and the carriers' ledger: one read twice
    does not make up for one that was never read. The process must have the site's keys."""
    carried = Counter(
        (entry["kind"], entry["msisdn"], _words(entry)) for entry in ledger if entry.get("sender") == "gateway"
    )
    told = {(number, _about(text)) for kind, number, text in carried if kind == "sms"}
    db = Database(url)
    with db.read() as tx:
        sql = sa.select(message.c.state, sa.func.count()).group_by(message.c.state)
        states: dict[str, int] = {state: int(times) for state, times in tx.execute(sql)}
        readings, photographs = _by_eye(tx, reading), _by_eye(tx, photo)
        not_known = sa.select(message).where((message.c.state == "unknown") & (message.c.kind == "sms"))
        in_doubt = {(number_of(tx, row.recipient), _about(text_of(row))) for row in tx.execute(not_known)}
        failed = tx.execute(sa.select(sa.func.count(outbox.c.id)).where(outbox.c.state == "failed")).scalar_one()
    db.close()
    unread = {one for one in promised if not readings[one.about]}
    untold = {one for one in promised if (one.worker, one.about) not in told}
    return {
        "photographs": len(promised),
        "lost": len(unread | {one for one in untold if (one.worker, one.about) not in in_doubt}),
        "untold": len(untold),
        "doubled_results": sum(max(0, readings[one.about] - 1, photographs[one.about] - 1) for one in promised),
        "doubled_messages": sum(count - 1 for (_, _, text), count in carried.items() if _names_a_code(text)),
        "unknown_outcomes": states.get("unknown", 0),
        "failed_tasks": failed,
        "messages": states,
    }


def _by_eye(tx: sa.Connection, table: sa.Table) -> Counter[str]:
    """How many rows a table has of each code and eye."""
    case = (screening.c.code, screening.c.code_sealed)
    rows = tx.execute(sa.select(table.c.eye, *case).join_from(table, screening).where(table.c.eye.is_not(None)))
    return Counter(f"{code_of(row)} {row.eye}" for row in rows)


def _about(text: str) -> str:
    """The code and the eye with which a result for a worker begins."""
    return text.split(" eye", 1)[0]


def _words(entry: dict[str, Any]) -> str:
    """What one message of the gateway says."""
    return str(entry["text"] if entry["kind"] == "sms" else entry.get("message", ""))


def _names_a_code(text: str) -> bool:
    return any(len(word.strip(":,.")) == 6 and word.strip(":,.").isdigit() for word in text.split())
