"""The process that syncs: it sleeps until a batch is full or old enough, something is urgent, or the link is back."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.messaging.outbox import INFERENCE
from services.runtime import Runtime
from services.site.link import reachable, remember
from services.site.probes import told
from services.store.clock import now_ms
from services.store.tables import outbox, sync_event
from services.store.turn import Turn
from services.sync.client import HubClient, HubError, hub_client
from services.sync.enrolled import identity_file
from services.sync.errands import ERRANDS, step_of
from services.sync.identity import NotEnrolled
from services.sync.sender import Sender

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
PROBE_EVERY_S = 5.0
REPORT_EVERY_S = 300.0
ERRANDS_EVERY_S = 10.0
LONGEST_BACKOFF_S = 60.0
_SLICE_S = 0.1


def run(site: Runtime, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Runs until told to stop; of several hosts of a site one sends. A site that is not enrolled costs a look at one
    file every second."""
    turn = Turn(site.db, "sync")
    while not stopping():
        try:
            known = identity_file(site.settings.data_dir).stat().st_mtime_ns
            client = hub_client(site)
        except (NotEnrolled, OSError):
            _sleep(LOOK_EVERY_S, stopping)
            continue
        with client:
            courier = Courier(site, client)
            while not stopping() and _stamp(site) == known:
                _sleep(courier.turn() if turn.is_ours() else LOOK_EVERY_S, stopping)
    turn.give_up()


class Courier:
    """Decides at each turn what to do now. What it holds in memory is only when to try again."""

    def __init__(self, site: Runtime, client: HubClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._site, self._client, self._clock = site, client, clock
        self._sender = Sender(site, client)
        self._failures = 0
        self._retry_at = self._probe_at = self._report_at = self._errands_at = 0.0
        self._urgent_tried = 0
        self._parked = False
        self._up: bool | None = None

    def turn(self) -> float:
        """Does what is due. Seconds until the next turn."""
        if not self._has_link():
            return LOOK_EVERY_S
        due, urgent = self._due()
        new_urgency = urgent > self._urgent_tried
        if self._clock() < self._retry_at and not new_urgency:
            return LOOK_EVERY_S
        self._urgent_tried = max(urgent, self._urgent_tried)
        try:
            if due:
                return self._send()
            return self._run_errand()
        except HubError as error:
            self._failed(error)
            return LOOK_EVERY_S

    def _send(self) -> float:
        with_report = self._clock() >= self._report_at
        self._sender.send(with_report=with_report)
        if with_report:
            self._report_at = self._clock() + REPORT_EVERY_S
        self._succeeded()
        return 0.0

    def _run_errand(self) -> float:
        if self._clock() < self._errands_at or "battery-low" in self._site.watch.strain():
            return LOOK_EVERY_S
        for purpose in ERRANDS:
            try:
                more = step_of(purpose)(self._site, self._client)
            except HubError as error:
                if error.status == 0:
                    raise  # the link, which results need as well
                _LOG.warning("hub", extra={"errand": purpose, "reason": error.reason, "status": error.status})
            except Exception:  # a fault in what can wait must not stop what cannot
                _LOG.exception("errand failed", extra={"errand": purpose})
            else:
                self._note_link(True)
                if more:
                    return 0.0
                continue
            self._errands_at = self._clock() + LONGEST_BACKOFF_S
            return LOOK_EVERY_S
        self._errands_at = self._clock() + ERRANDS_EVERY_S
        return LOOK_EVERY_S

    def _due(self) -> tuple[bool, int]:
        """Whether a batch has to go now, and the number of the newest urgent event that waits (0: none)."""
        settings, saving = self._site.settings, "battery-low" in self._site.watch.strain()
        with self._site.db.read() as tx:
            waiting, oldest, urgent = tx.execute(
                sa.select(
                    sa.func.count(),
                    sa.func.min(sync_event.c.created_at),
                    sa.func.max(sa.case((sync_event.c.urgent, sync_event.c.seq), else_=0)),
                ).where(sync_event.c.acked_at.is_(None))
            ).one()
            # On low battery the workers finish first; then all that waits is sent once, as the last thing.
            finishing = saving and not self._parked and _under_way(tx)
        age_ms = None if oldest is None else now_ms() - oldest
        full = waiting >= settings.sync_batch
        old = age_ms is not None and not 0 <= age_ms < settings.sync_seconds * 1000  # below 0: the clock went back
        last_act = saving and not self._parked and not finishing and waiting > 0
        if not saving:
            self._parked = False
        elif not finishing and not waiting:
            self._parked = True
        report = not saving and self._clock() >= self._report_at
        waits_there = self._sender.more_waits_there
        due = bool(urgent) or (not finishing and (full or old or last_act or report or waits_there))
        return due, int(urgent or 0)

    def _has_link(self) -> bool:
        said = told(self._site.settings.own_dir).get("link")
        if said is not None:
            self._note_link(said)
            return bool(said)
        if self._up is not False:
            return True
        if self._clock() < self._probe_at:
            return False
        self._probe_at = self._clock() + PROBE_EVERY_S
        if not self._probe():
            return False
        self._note_link(True)
        return True

    def _probe(self) -> bool:
        where = urlsplit(self._client.identity.url)
        return reachable(where.hostname or "", where.port or 443)

    def _note_link(self, up: bool) -> None:
        if up and self._up is False:
            self._failures, self._retry_at = 0, 0.0  # the link is back: everything is tried at once
        if up != self._up:
            self._up = up
            try:
                remember(self._site.settings.own_dir, up)
            except OSError as error:  # a full disk must not keep results from going where they are safe
                _LOG.warning("link not remembered", extra={"reason": str(error)})

    def _succeeded(self) -> None:
        self._failures, self._retry_at = 0, 0.0
        self._note_link(True)

    def _failed(self, error: HubError) -> None:
        """Full jitter: many sites that lost one hub must not come back together."""
        _LOG.warning("hub", extra={"reason": error.reason, "status": error.status, "permanent": error.permanent})
        if error.status == 0 and not self._probe():
            self._note_link(False)
            self._probe_at = self._clock() + PROBE_EVERY_S
            return
        self._failures += 1
        self._retry_at = self._clock() + random.uniform(0, min(LONGEST_BACKOFF_S, 2.0 ** min(self._failures, 10)))


def _under_way(tx: Connection) -> bool:
    """Whether a photograph is being read, or is about to be."""
    soon = sa.and_(outbox.c.state == "pending", outbox.c.not_before <= now_ms())
    query = sa.select(outbox.c.id).where(outbox.c.queue == INFERENCE, soon | (outbox.c.state == "dispatched"))
    return tx.execute(query.limit(1)).first() is not None


def _stamp(site: Runtime) -> int | None:
    try:
        return identity_file(site.settings.data_dir).stat().st_mtime_ns
    except OSError:
        return None


def _sleep(seconds: float, stopping: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(_SLICE_S, left))
