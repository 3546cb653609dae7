"""Sends photographs to the hub by tus: tuspy says what to send, the site's own connection carries, signs and counts it.

One piece at a time, so that a result never waits for more than one. A piece is written down as under way before it goes
out; after a break the hub is asked which byte it waits for, so no byte before that is ever sent again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from typing import IO, Any, Final
from urllib.parse import urljoin, urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tusclient.client import TusClient
from tusclient.request import TusRequest
from tusclient.uploader import Uploader

from services.messaging.outbox import INFERENCE, enqueue
from services.runtime import Runtime
from services.store.clock import now_ms
from services.store.files import read_sealed
from services.store.keyring import site_keys
from services.store.tables import photo, photo_upload
from services.sync.about import About, Grid
from services.sync.client import HubClient, HubError
from services.sync.photographs import CHOSEN, READY, REFUSED, SENDING, SENT, erase_file, outgoing

_LOG = logging.getLogger(__name__)
PURPOSE: Final = "photographs"
PREPARED_AHEAD = 3
_TRIES = 3
_OVER = (404, 410)
_SPOILED = (400, 413, 415, 422, 460)


def step(site: Runtime, client: HubClient) -> bool:
    """Sends one piece of one photograph, urgent ones first. Whether there is more to send now. Raises HubError."""
    if site.settings.sync_photographs == "none" or not _may_spend(site):
        return False
    _ask_for_files(site)
    with site.db.read() as tx:
        row = _next(tx)
    if row is None:
        return False
    _send_piece(site, client, row)
    return True


class HubUploader(Uploader):  # type: ignore[misc]
    """tuspy's uploader, which would otherwise make connections of its own: neither pinned nor signed nor counted."""

    def __init__(
        self,
        hub: HubClient,
        file: IO[bytes],
        *,
        chunk_size: int,
        metadata: Mapping[str, str],
        url: str | None,
        offset: int,
    ) -> None:
        self.hub = hub
        creation = urljoin(hub.identity.url, "/files")
        super().__init__(file_stream=file, client=TusClient(creation), chunk_size=chunk_size, metadata=dict(metadata))
        self.url, self.offset = url, offset

    @property
    def path(self) -> str:
        """Where the upload is at the hub; whatever host its address names, no other is asked."""
        return urlsplit(str(self.url)).path

    def create_url(self) -> str:
        """Begins the upload. Raises HubError."""
        answer = self.hub.post("/files", b"", purpose=PURPOSE, headers=self.get_url_creation_headers())
        if "location" not in answer.headers:
            raise HubError("an upload without an address", permanent=True, status=answer.status)
        return urljoin(self.hub.identity.url, answer.headers["location"])

    def get_offset(self) -> int:
        """The byte that the hub waits for. Raises HubError."""
        return _offset(self.hub.head(self.path, purpose=PURPOSE, headers=self.get_headers()).headers)

    def _do_request(self) -> None:
        self.request = _HubRequest(self)
        self.request.perform()


class _HubRequest(TusRequest):  # type: ignore[misc]
    def __init__(self, uploader: HubUploader) -> None:
        super().__init__(uploader)
        self._hub, self._path = uploader.hub, uploader.path

    def perform(self) -> None:
        """Sends the piece. Raises HubError."""
        piece = self.file.read(self._content_length)
        answer = self._hub.patch(self._path, piece, purpose=PURPOSE, headers=self._request_headers)
        self.status_code, self.response_headers = answer.status, dict(answer.headers)
        _offset(self.response_headers)


def _send_piece(site: Runtime, client: HubClient, row: Any) -> None:
    try:
        content = read_sealed(outgoing(site, row.photo_id), site_keys())
    except FileNotFoundError:  # a disk that was put back: it is made anew, and comes out the same
        _note(site, row, state=CHOSEN, url=None, offset=0, in_doubt=False)
        return
    uploader = HubUploader(
        client,
        io.BytesIO(content),
        chunk_size=site.settings.sync_chunk_kb * 1024,
        metadata=_about(row).as_metadata(),
        url=row.url,
        offset=row.offset,
    )
    try:
        if uploader.url is None:
            uploader.set_url(uploader.create_url())
            _note(site, row, state=SENDING, url=uploader.url, offset=0, in_doubt=False)
        elif row.in_doubt:
            uploader.offset = uploader.get_offset()
        if uploader.offset < len(content):
            _note(site, row, in_doubt=True)
            uploader.upload_chunk()
    except HubError as error:
        _settle(site, row, error)
        return
    if uploader.offset < len(content):
        _note(site, row, offset=uploader.offset, in_doubt=False)
        return
    _note(site, row, state=SENT, offset=uploader.offset, in_doubt=False, sent_at=now_ms())
    erase_file(site, row.photo_id)


def _settle(site: Runtime, row: Any, error: HubError) -> None:
    """What follows from the hub's refusal. Raises the error again where the hub or the link is to blame."""
    if error.status == 409:
        return  # the offset was in doubt already: the hub is asked for it next
    if error.status in _OVER and row.url is not None:
        _note(site, row, state=READY, url=None, offset=0, in_doubt=False)
    elif error.status in _SPOILED:
        tries = row.tries + 1
        _LOG.warning("photograph refused", extra={"photo": row.photo_id, "reason": error.reason, "tries": tries})
        state = REFUSED if tries >= _TRIES else READY
        _note(site, row, state=state, url=None, offset=0, in_doubt=False, tries=tries, error=error.reason[:200])
        if state == REFUSED:
            erase_file(site, row.photo_id)
    else:
        raise error


def _about(row: Any) -> About:
    heat = None if row.heat is None else Grid.from_text(row.heat)
    return About(
        row.photo_id, row.screening_id, row.eye, row.sha256, row.probability_before, row.probability_after, heat
    )


def _next(tx: Connection) -> Any:
    return tx.execute(
        sa.select(photo_upload, photo.c.eye)
        .join(photo, photo.c.id == photo_upload.c.photo_id)
        .where(photo_upload.c.state.in_((READY, SENDING)), photo.c.eye.is_not(None))
        .order_by(photo_upload.c.urgent.desc(), photo_upload.c.state != SENDING, photo_upload.c.id)
        .limit(1)
    ).first()


def _ask_for_files(site: Runtime) -> None:
    """Has the next few files made: not all, for what waits may be withdrawn, and disks are small."""
    with site.db.read() as tx:
        ready = tx.execute(sa.select(sa.func.count()).where(photo_upload.c.state.in_((READY, SENDING)))).scalar_one()
        chosen = (
            tx.execute(
                sa.select(photo_upload.c.photo_id)
                .where(photo_upload.c.state == CHOSEN, ~photo_upload.c.asked)
                .order_by(photo_upload.c.urgent.desc(), photo_upload.c.id)
                .limit(max(0, PREPARED_AHEAD - ready))
            )
            .scalars()
            .all()
        )
    if not chosen:
        return
    with site.db.write() as tx:
        for photo_id in chosen:
            argument, key = {"photo_id": photo_id}, f"prepare-photo:{photo_id}:{now_ms()}"
            enqueue(tx, INFERENCE, "prepare_photograph", argument, key=key)
        tx.execute(photo_upload.update().where(photo_upload.c.photo_id.in_(chosen)).values(asked=True))


def _note(site: Runtime, row: Any, **values: Any) -> None:
    if values.get("state") == CHOSEN:
        values["asked"] = False
    with site.db.write() as tx:
        tx.execute(photo_upload.update().where(photo_upload.c.id == row.id).values(values))


def _offset(headers: Mapping[str, str]) -> int:
    try:
        return int(headers["upload-offset"])
    except (KeyError, ValueError):
        raise HubError("an answer without an offset", permanent=False) from None


def _may_spend(site: Runtime) -> bool:
    """Whether the day's budget leaves something for photographs."""
    from services.ledger.budget import may_spend

    return may_spend(site, PURPOSE)
