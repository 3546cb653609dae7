"""The job that hands one message to its carrier, and the reports that say what became of it.

A message is marked "sending" before the call. If the process dies in between, or the answer is lost, nobody knows
whether the carrier took it: it is then "unknown" and never sent again by itself, since a second call at night about an
eye disease is worse than none. The carrier's report settles it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.channels.base import ChannelError, DeliveryReport, DeliveryState, Kind, Outbound, Receipt
from services.channels.gsm7 import normalise, parts
from services.ledger.charges import message_taken
from services.logs import redact
from services.messaging.daytime import is_night, next_morning
from services.messaging.outbox import NOTE, buttons_of, deliver, text_of
from services.messaging.unreached import REMINDER, given_up
from services.runtime import Runtime
from services.screening.people import has_opted_out
from services.screening.referral import VISIT_CALL, consents
from services.store.clock import HOUR_MS, MINUTE_MS, now_ms
from services.store.files import read_sealed
from services.store.keyring import site_keys
from services.store.phones import number_of
from services.store.tables import message

_LOG = logging.getLogger(__name__)
_BACKOFF_S = (5, 30, 120, 600, 1800, 3600)
_ATTEMPTS = 12
_LOST = (DeliveryState.FAILED, DeliveryState.EXPIRED)
_FINAL = (DeliveryState.DELIVERED, *_LOST)
_UNSETTLED = (DeliveryState.UNKNOWN, DeliveryState.SENDING)
_BY_DAY = (REMINDER, VISIT_CALL, "review")
_ASKED_FOR = ("call-asked", "risk-asked", NOTE, "reply")  # answers to what a person just did are no unasked messages


def send_message(site: Runtime, argument: Mapping[str, Any]) -> None:
    """One attempt for the message `argument["message_id"]`; a failed one asks for the next itself."""
    message_id = int(argument["message_id"])
    with site.db.write() as tx:
        row = _claim(tx, message_id)
        number = None if row is None else number_of(tx, row.recipient)
    if row is None or number is None:
        return
    note = site.note_path(message_id) if row.purpose == NOTE else None
    try:
        outbound = Outbound(
            kind=Kind(row.kind),
            to=number,
            text=text_of(row),
            reference=str(row.id),
            buttons=buttons_of(row),
            audio=_read(note) if note else b"",
        )
        channel = site.channels.for_kind(outbound.kind)
        receipt = channel.send(outbound)
    except ChannelError as error:
        _LOG.warning("message not sent", extra={"message_id": message_id, "reason": error.reason})
        with site.db.write() as tx:
            over = _settle_error(tx, row, error)
    else:
        with site.db.write() as tx:
            _settle_receipt(tx, row, receipt, receipt.carrier or channel.name)
        over = True
    if note and over:
        note.unlink(missing_ok=True)  # it says a result


def record_report(tx: Connection, report: DeliveryReport, *, recipient: str = "") -> bool:
    """Moves a message to the state its carrier reports. False if no such message is known.

    A report for an id we never saw settles a message of "unknown" outcome to the same number: only then could the
    receipt have been lost.
    """
    row = tx.execute(
        sa.select(message).where(message.c.provider_id == report.provider_id, message.c.carrier == report.carrier)
    ).first()
    if row is None and recipient:
        row = tx.execute(
            sa.select(message)
            .where(
                message.c.recipient == recipient,
                message.c.provider_id.is_(None),
                sa.or_(message.c.carrier.is_(None), message.c.carrier == report.carrier),
                message.c.state.in_(_UNSETTLED),
            )
            .order_by(message.c.id)
            .limit(1)
        ).first()
    if row is None:
        return False
    if report.state is None or row.state in _FINAL:
        return True
    values: dict[str, Any] = {"state": report.state, "reason": redact(report.reason), "settled_at": now_ms()}
    if row.provider_id is None:
        # Its receipt was lost, and with it the cost; if it is only late, it corrects this.
        values |= {"provider_id": report.provider_id, "carrier": report.carrier, "parts": _parts(row)}
        message_taken(tx, row.kind, report.carrier, parts=values["parts"], before=row.parts)
    tx.execute(message.update().where(message.c.id == row.id).values(values))
    if report.state in _LOST:
        given_up(tx, row)
    return True


def record_late_receipt(tx: Connection, reference: str, receipt: Receipt, carrier: str) -> None:
    """A carrier took the message `reference` (its id) after whoever handed it over was gone."""
    row = tx.execute(
        sa.select(message).where(
            message.c.id == int(reference), message.c.provider_id.is_(None), message.c.state.in_(_UNSETTLED)
        )
    ).first()
    if row is not None:
        _settle_receipt(tx, row, receipt, carrier)


def settle_unknown(tx: Connection, *, older_than_ms: int = 2 * MINUTE_MS) -> int:
    """Marks as "unknown" what has been "sending" for longer than any call takes: its process died. How many."""
    changed = tx.execute(
        message.update()
        .where(
            message.c.state == DeliveryState.SENDING,
            message.c.provider_id.is_(None),
            message.c.sent_at < now_ms() - older_than_ms,
        )
        .values(state=DeliveryState.UNKNOWN, reason="no answer from the carrier")
    )
    return changed.rowcount


def _claim(tx: Connection, message_id: int) -> Any:
    """The message, now "sending", or None if it must not go out (any more): here, at the moment of sending, and nowhere
    else is it asked whether the patient still consents and the recipient did not say STOP."""
    row = tx.execute(sa.select(message).where(message.c.id == message_id)).first()
    if row is None or row.state != DeliveryState.PENDING:
        return None
    now = now_ms()
    refusal = _refusal(tx, row, now)
    if refusal is None and row.purpose in _BY_DAY and is_night(now):
        # Posted by day, but the link was away.
        attempt = row.attempts + 1
        deliver(tx, row.id, attempt=attempt, not_before=next_morning(now))
        tx.execute(message.update().where(message.c.id == row.id).values(attempts=attempt))
        return None
    values = refusal or {"state": DeliveryState.SENDING, "attempts": row.attempts + 1, "sent_at": now}
    # The state once more: of two workers with the same job, the database lets one have it.
    claimed = tx.execute(
        message.update().where(message.c.id == message_id, message.c.state == DeliveryState.PENDING).values(values)
    )
    if claimed.rowcount and refusal:
        given_up(tx, row)
    return row if claimed.rowcount and not refusal else None


def _refusal(tx: Connection, row: Any, now: int) -> dict[str, Any] | None:
    """Why a message must not go out, as the values of its row."""
    if row.expires_at < now:
        return {"state": DeliveryState.EXPIRED, "reason": "no longer useful"}
    if row.screening_id is not None and not consents(tx, row.screening_id):
        return {"state": DeliveryState.FAILED, "reason": "no consent"}
    if row.purpose not in _ASKED_FOR and has_opted_out(tx, msisdn=row.recipient, kind=row.kind):
        return {"state": DeliveryState.FAILED, "reason": "the recipient said STOP"}
    if number_of(tx, row.recipient) is None:
        return {"state": DeliveryState.FAILED, "reason": "the recipient was forgotten"}
    return None


def _read(note: Path) -> bytes:
    try:
        return read_sealed(note, site_keys())
    except FileNotFoundError:
        raise ChannelError("its voice note is gone", permanent=True) from None


def _parts(row: Any) -> int:
    return parts(normalise(text_of(row))) if row.kind == Kind.SMS else 1


def _settle_receipt(tx: Connection, row: Any, receipt: Receipt, carrier: str) -> None:
    if row.kind != Kind.VOICE:  # a call is paid for by its end
        before = tx.execute(sa.select(message.c.parts).where(message.c.id == row.id)).scalar_one()
        message_taken(tx, row.kind, carrier, parts=receipt.parts, reported=receipt.cost, before=before)
    tx.execute(
        message.update()
        .where(message.c.id == row.id)
        .values(
            provider_id=receipt.provider_id,
            carrier=carrier,
            parts=receipt.parts,
            cost=receipt.cost,
            reason=redact(receipt.status),
            # A report may have overtaken this answer; or a clock that jumped made it look lost.
            state=sa.case(
                (
                    message.c.state.in_([DeliveryState.SENDING, DeliveryState.UNKNOWN]),
                    DeliveryState.SENT.value,
                ),
                else_=message.c.state,
            ),
        )
    )


def _settle_error(tx: Connection, row: Any, error: ChannelError) -> bool:
    """Whether that was the last attempt."""
    values: dict[str, Any] = {"reason": redact(error.reason)}  # carriers repeat the number in what they refuse
    attempt = row.attempts + 1
    if error.unknown:
        # Another carrier's report must not settle it.
        values |= {"state": DeliveryState.UNKNOWN, "carrier": error.carrier or None}
    elif error.permanent or attempt >= _ATTEMPTS:
        values["state"] = DeliveryState.FAILED
        given_up(tx, row)
    else:
        values["state"] = DeliveryState.PENDING
        wait_s = max(_BACKOFF_S[min(attempt, len(_BACKOFF_S)) - 1], error.retry_after_s or 0)
        deliver(tx, row.id, attempt=attempt, not_before=now_ms() + int(min(wait_s, HOUR_MS / 1000) * 1000))
    tx.execute(message.update().where(message.c.id == row.id).values(values))
    return values["state"] is not DeliveryState.PENDING
