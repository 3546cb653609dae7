"""A reminder that did not arrive is none: it is tried by a call, and then it is her health worker's.

`given_up` is called wherever a message fails for good; the rest happens in a job. The state says `unreached` until the
call is picked up; a visit that was answered for meanwhile stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import Kind
from services.channels.phone_numbers import is_person
from services.messaging.outbox import DELIVERY, enqueue, ring
from services.runtime import Runtime
from services.screening import follow_up as follow_ups
from services.screening import referral as referrals
from services.screening.people import can_be_written_to, has_opted_out
from services.screening.referral import VISIT_CALL, consents
from services.store.clock import DAY_MS, now_ms
from services.store.phones import number_of
from services.store.tables import conversation, message, screening

REMINDER = "reminder"
_LOG = logging.getLogger(__name__)
_CALL_MS = 2 * DAY_MS


def given_up(tx: Connection, row: Any) -> None:
    """Asks for another way, if the message `row` was a reminder or the call in place of one."""
    if row.purpose in (REMINDER, VISIT_CALL):
        enqueue(tx, DELIVERY, "reach_otherwise", {"message_id": row.id}, key=f"unreached:{row.id}")


def reach_otherwise(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Calls the patient whom the message `argument["message_id"]` did not reach, or leaves her to her health worker."""
    with site.db.write() as tx:
        row = tx.execute(sa.select(message).where(message.c.id == int(argument["message_id"]))).one()
        case = tx.execute(sa.select(screening).where(screening.c.id == row.screening_id)).first()
        if case is None or not consents(tx, case.id):
            return
        # What it asked is not waited for any more: an SMS of tomorrow is no answer to what she never read.
        key = row.dedupe_key.removesuffix(f":{row.kind}")
        tx.execute(
            conversation.update()
            .where(conversation.c.session_id == key, conversation.c.state == "active")
            .values(state="ended")
        )
        if row.recipient != case.patient_msisdn:
            _LOG.warning("a health worker was not reached", extra={"screening": case.id})
            referrals.worker_unreached(tx, case.id)
            return
        calls = row.purpose == REMINDER and _may_call(tx, row.recipient)
        until = now_ms() + _CALL_MS if calls else now_ms()
        waits = referrals.unreached(tx, case.id, until=until) or follow_ups.unreached(tx, case.id, until=until)
        if calls and waits:
            ring(
                tx,
                row.recipient,
                key=f"{row.dedupe_key}:call",
                purpose=VISIT_CALL,
                language=row.language,
                useful_ms=_CALL_MS,
                screening_id=case.id,
            )


def _may_call(tx: Connection, number: str) -> bool:
    """Who said STOP to either is asked by a person."""
    wants_calls = not has_opted_out(tx, msisdn=number, kind=Kind.VOICE)
    return is_person(number_of(tx, number) or "") and can_be_written_to(tx, number) and wants_calls
