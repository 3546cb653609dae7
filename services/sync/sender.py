"""Hands what waits to the hub, oldest first: acknowledged before it is marked, and nothing is held only in memory."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.runtime import Runtime
from services.store.clock import DAY_MS, now_ms
from services.store.sealing import unseal
from services.store.tables import phone_number, screening, sync_event
from services.sync import clock, down
from services.sync.batch import Answer, Batch, BatchError, Event, decode_answer, encode
from services.sync.client import HubClient, HubError
from services.sync.events import RESULT
from services.sync.history import begin_for, write_on
from services.sync.identity import Identity
from services.sync.marks import mark, raise_mark
from services.sync.report import report

_LOG = logging.getLogger(__name__)
PURPOSE, REPORT_PURPOSE = "results", "hub-reports"
_BAD_REQUEST = 400
_KEPT_MS = 365 * DAY_MS  # a verdict may come late, and is held against what was sent
_FORGOTTEN_AT_ONCE = 200
SENT_AT, _HIGHEST = "sent-at", "highest-sent"
_WAITING = sync_event.c.acked_at.is_(None)


class StoreIsOlder(HubError):
    """The hub has later events of this site than its store knows: it was put back from a backup. New events would bear
    numbers that the hub has already, and screenings those of others: nothing may be sent."""

    def __init__(self) -> None:
        super().__init__(
            "the hub has more of this site than its store: it was restored from a backup. Enrol it anew: it is sent to "
            "the hub as a new site (python app.py sync enrol CODE)",
            permanent=True,
        )


class _BatchRefused(HubError):
    """The hub will never take this batch, or it cannot even be written."""


class Sender:
    """Sends batches over one client."""

    def __init__(self, site: Runtime, client: HubClient) -> None:
        self._site, self._client = site, client
        self._agreed = False
        self._most = site.settings.sync_batch
        self.more_waits_there = False
        """Whether the hub has more for this site than its last answer held."""

    def send_all(self) -> int:
        """Sends everything that waits, and a report. How many events. Raises HubError."""
        total = self.send(with_report=True)
        while (sent := self.send()) or self.more_waits_there:
            total += sent
        return total

    def send(self, *, with_report: bool = False) -> int:
        """Sends one batch, of what is urgent and then what is oldest, and applies what the hub answers. How many events
        it held. Raises HubError; then everything waits as before.

        The first one holds no events: before any goes out, the hub says how much of this site it has.
        """
        told = report(self._site) if with_report or not self._agreed else None
        with self._site.db.write() as tx:
            if not self._agreed:
                begin_for(tx, self._client.identity)
            write_on(tx)
            rows = next_events(tx, self._most) if self._agreed else []
            seen = down.seen(tx)
        if not rows and told is None and not self.more_waits_there:
            return 0
        try:
            answer = self._post(Batch([event_of(row, self._client.identity) for row in rows], seen, told))
        except _BatchRefused as problem:
            return self._without_the_bad_one(rows, problem)
        self._most = min(2 * self._most, self._site.settings.sync_batch)
        with self._site.db.write() as tx:
            if not self._agreed and answer.highest_seq > _highest(tx):
                raise StoreIsOlder
            _settle(tx, [row.seq for row in rows])
            raise_mark(tx, SENT_AT, now_ms())
            clock.told(tx, now_ms(), answer.now_ms)
        self._agreed = True
        self._apply(answer)
        return len(rows)

    def _post(self, batch: Batch) -> Answer:
        purpose = PURPOSE if batch.events else REPORT_PURPOSE
        try:
            answer = self._client.post("/sync/batches", encode(batch), purpose=purpose)
        except BatchError as problem:
            raise _BatchRefused(str(problem), permanent=True) from None
        except HubError as problem:
            if problem.status != _BAD_REQUEST:
                raise
            raise _BatchRefused(problem.reason, permanent=True, status=problem.status) from None
        try:
            return decode_answer(answer.body)
        except BatchError as problem:
            raise HubError(str(problem), permanent=False, status=answer.status) from None

    def _without_the_bad_one(self, rows: list[Any], problem: _BatchRefused) -> int:
        """One event that cannot be sent must not hold up the others: smaller batches find it, and it is left out."""
        if not rows:
            raise problem
        if len(rows) > 1:
            self._most = len(rows) // 2
            return self.send()
        _LOG.error("event left out", extra={"seq": rows[0].seq, "kind": rows[0].kind, "reason": problem.reason})
        with self._site.db.write() as tx:
            _settle(tx, [rows[0].seq])
        return 1

    def _apply(self, answer: Answer) -> None:
        self.more_waits_there = False
        for item in down.in_order(answer.down):
            try:
                with self._site.db.write() as tx:
                    down.apply(tx, item)
            except Exception:  # a handler's fault must not stop what goes up; the item comes again
                _LOG.exception("not applied", extra={"kind": item.kind, "item": item.id})
                return
        self.more_waits_there = bool(answer.down)


def _settle(tx: Connection, seqs: list[int]) -> None:
    raise_mark(tx, _HIGHEST, max(seqs, default=0))
    now = now_ms()
    tx.execute(sync_event.update().where(sync_event.c.seq.in_(seqs), _WAITING).values(acked_at=now))
    # Screenings stay, and tell a new hub everything again. Only the oldest are looked at: they are the first numbers.
    oldest = sa.select(sa.func.min(sync_event.c.seq)).scalar_subquery() + _FORGOTTEN_AT_ONCE
    tx.execute(sync_event.delete().where(sync_event.c.seq < oldest, sync_event.c.acked_at < now - _KEPT_MS))


def _highest(tx: Connection) -> int:
    """The highest number of an event that this store ever gave, as far as the hub can know."""
    return max(mark(tx, _HIGHEST), tx.execute(sa.select(sa.func.max(sync_event.c.seq))).scalar() or 0)


def event_of(row: Any, identity: Identity) -> Event:
    """A row of `next_events` as it is sent."""
    sealed = row.sealed if row.kind == RESULT else None
    patient = None
    if sealed is not None:
        patient = identity.patient_key(unseal(phone_number.c.sealed, row.patient_msisdn, sealed))
    return Event(row.seq, row.kind, row.screening_id, row.content, patient)


def next_events(tx: Connection, most: int) -> list[Any]:
    """Rows of events to send next: what is urgent and then what is oldest; by number."""
    query = (
        sa.select(
            sync_event.c.seq,
            sync_event.c.kind,
            sync_event.c.screening_id,
            sync_event.c.content,
            screening.c.patient_msisdn,
            phone_number.c.sealed,
        )
        .outerjoin(screening, screening.c.id == sync_event.c.screening_id)
        .outerjoin(phone_number, phone_number.c.token == screening.c.patient_msisdn)
        .where(_WAITING)
        .order_by(sync_event.c.urgent.desc(), sync_event.c.seq)
        .limit(most)
    )
    return sorted(tx.execute(query).all(), key=lambda row: row.seq)
