"""What the scheduler sends when it is due: reminders of referrals, invitations after a year, photographs waited for.

By day only; to nobody who said STOP or took her consent back; each message once. A patient's message says nothing of
her eyes' health, since phones are shared (clinical rule 6). Whom none can reach, her health worker is asked to visit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.catalogue import text
from flows.render_chat import sms
from flows.sessions import begin, latest, save
from services.channels.base import Kind
from services.messaging.daytime import is_night
from services.messaging.outbox import post
from services.messaging.unreached import REMINDER
from services.runtime import Runtime
from services.screening import follow_up as follow_ups
from services.screening import referral as referrals
from services.screening import retakes
from services.screening.codes import code_of
from services.screening.people import caller_for, can_be_written_to
from services.screening.referral import ASKED, ASKED_AGAIN, PACES, REMINDED, consents
from services.screening.results import announce, tell_worker
from services.settings import current
from services.store.clock import DAY_MS, HOUR_MS, now_ms
from services.store.phones import number_of
from services.store.tables import follow_up, inbound, photo, referral, retake, screening, worker

_LOG = logging.getLogger(__name__)
_AT_A_TIME = 50


def send_due(site: Runtime, *, at_any_hour: bool = False) -> int:
    """Does everything that is due now, each thing in a transaction of its own. How many there were. `at_any_hour` is
    for a store from which nothing goes out (services/backup/settling.py)."""
    now = now_ms()
    if is_night(now) and not at_any_hour:
        return 0
    done = 0
    for table, act in _DUTIES.items():
        with site.db.read() as tx:
            due = sa.select(table.c.id).where(table.c.next_at <= now).order_by(table.c.next_at).limit(_AT_A_TIME)
            ids = tx.execute(due).scalars().all()
        for row_id in ids:
            with site.db.write() as tx:
                # Once more, and locked: another scheduler or an answer may have come first.
                row = tx.execute(
                    sa.select(table).where(table.c.id == row_id, table.c.next_at <= now).with_for_update()
                ).first()
                if row is not None:
                    case = tx.execute(sa.select(screening).where(screening.c.id == row.screening_id)).one()
                    _move(tx, table, row_id, **act(tx, row, case, now))
                    done += 1
    return done


def _referral(tx: Connection, row: Any, case: Any, now: int) -> dict[str, Any]:
    if not consents(tx, case.id):
        return {"state": "closed", "next_at": None}
    pace = PACES[row.urgency]
    key = f"referral:{row.id}:{row.messages + 1}"
    asks = row.opened_at + pace.ask * DAY_MS
    if row.state not in referrals.OPEN or row.state == "unreached" or row.messages >= ASKED_AGAIN:
        return _visit_by_worker(tx, row, case, now)
    if not can_be_written_to(tx, case.patient_msisdn):
        return {"next_at": asks} if now < asks else _visit_by_worker(tx, row, case, now)
    if row.messages < REMINDED and now < asks:
        _write(tx, case, "visit-reminder", key=key)
        return {"state": "reminded", "messages": REMINDED, "next_at": asks}
    shared = referrals.open_referrals_of(tx, case.patient_msisdn) > 1
    flow, arguments = ("visit", {}) if shared else ("attended", {"referral": row.id})
    if not _ask(tx, case, flow, arguments, key=key):
        return {"next_at": now + HOUR_MS}
    asked = ASKED_AGAIN if row.messages >= ASKED else ASKED
    return {"state": "reminded", "messages": asked, "next_at": now + pace.again * DAY_MS}


def _visit_by_worker(tx: Connection, row: Any, case: Any, now: int) -> dict[str, Any]:
    if not _tell_health_worker(tx, case, "visit-worker", key=f"referral:{row.id}:worker"):
        return {"next_at": now + DAY_MS}
    return {"state": "not attended", "worker_told_at": now, "next_at": None}


def _follow_up(tx: Connection, row: Any, case: Any, now: int) -> dict[str, Any]:
    if not consents(tx, case.id):
        return {"state": "closed", "next_at": None}
    if follow_ups.came_again(tx, case):
        return {"state": "came", "next_at": None}
    key = f"follow-up:{row.id}"
    if row.state == "unreached":
        told = _tell_health_worker(tx, case, "follow-up-worker", key=f"{key}:worker")
        return {"next_at": None if told else now + HOUR_MS}
    if can_be_written_to(tx, case.patient_msisdn):
        sent = _ask(tx, case, "invited", {"follow_up": row.id}, key=key)
    else:
        sent = _tell_health_worker(tx, case, "follow-up-worker", key=key)
    if not sent:
        return {"next_at": now + HOUR_MS}
    return {"state": "invited", "invited_at": now, "next_at": None}


def _retake(tx: Connection, row: Any, case: Any, now: int) -> dict[str, Any]:
    if case.outcome == "refer" or not consents(tx, case.id):
        return {"state": "closed", "next_at": None}
    if retakes.has_come(tx, row):
        return {"next_at": now + DAY_MS}
    taken = tx.execute(
        sa.select(photo, inbound.c.kind)
        .join(inbound, inbound.c.id == photo.c.inbound_id)
        .where(photo.c.id == row.photo_id)
    ).one()
    expires = row.asked_at + retakes.EXPIRE_DAYS * DAY_MS
    common = {"code": code_of(case), "eye": f"eye-{row.eye}"}
    if now < expires:
        days = -(-(expires - now) // DAY_MS)
        key = f"retake:{row.photo_id}:reminder"
        tell_worker(tx, taken, "worker-retake-reminder", key=key, reason=row.reason, days=days, **common)
        return {"state": "reminded", "next_at": expires}
    announce(tx, case.id, "refer")
    place = referrals.destination(tx, case.id).place
    key = f"retake:{row.photo_id}:expired"
    tell_worker(tx, taken, "worker-retake-expired", key=key, place=place, days=retakes.EXPIRE_DAYS, **common)
    return {"state": "expired", "next_at": None}


_DUTIES: Mapping[sa.Table, Callable[[Connection, Any, Any, int], dict[str, Any]]] = {
    referral: _referral,
    follow_up: _follow_up,
    retake: _retake,
}


def _ask(tx: Connection, case: Any, flow: str, arguments: Mapping[str, Any], *, key: str) -> bool:
    """Begins a conversation by SMS: her reply is its answer. False while she is in the middle of another."""
    number = number_of(tx, case.patient_msisdn)
    if number is None:
        return False  # forgotten
    talk = latest(tx, number, Kind.SMS)
    if talk is not None and talk.state == "active" and talk.updated_at > now_ms() - HOUR_MS:
        return False
    talk = begin(tx, number, Kind.SMS, key, flow, **arguments)
    talk.caller = replace(talk.caller, language=talk.caller.language or case.language)
    talk.said = sms(talk.step(tx)).text
    save(tx, talk)
    _post(tx, case, number, talk.said, talk.language, key=key)
    return True


def _write(tx: Connection, case: Any, message_id: str, *, key: str) -> None:
    language = caller_for(tx, case.patient_msisdn)["language"] or case.language
    words = text(language, message_id, clinic=current().clinic, ussd=current().ussd_code)
    _post(tx, case, case.patient_msisdn, words, language, key=key)


def _tell_health_worker(tx: Connection, case: Any, message_id: str, *, key: str) -> bool:
    """To the worker who screened, or, once she left, to whoever has been here longest. False if nobody is here."""
    number = tx.execute(
        sa.select(worker.c.msisdn).where(worker.c.active).order_by(worker.c.id != case.worker_id, worker.c.id).limit(1)
    ).scalar()
    if number is None:
        _LOG.warning("no health worker to tell", extra={"screening": case.id})
        return False
    language = caller_for(tx, number)["language"] or current().language
    words = text(language, message_id, code=code_of(case), ussd=current().ussd_code)
    _post(tx, case, number, words, language, key=key)
    return True


def _post(tx: Connection, case: Any, to: str, words: str, language: str, *, key: str) -> None:
    post(tx, Kind.SMS, to, words, key=f"{key}:sms", purpose=REMINDER, language=language, screening_id=case.id)


def _move(tx: Connection, table: sa.Table, row_id: int, **values: Any) -> None:
    tx.execute(table.update().where(table.c.id == row_id).values(values))
