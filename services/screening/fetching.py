"""The job that gets the bytes of a photograph from a carrier that sent only a reference to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.channels.base import ChannelError, Media
from services.runtime import Runtime
from services.screening.cases import read_when_complete
from services.screening.results import tell_worker
from services.store.tables import inbound, photo


def fetch_photo(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Downloads the photograph `argument["photo_id"]`. Raises ChannelError when trying again may help."""
    photo_id = int(argument["photo_id"])
    with site.db.read() as tx:
        row = tx.execute(
            sa.select(photo, inbound.c.kind, inbound.c.carrier)
            .join(inbound, inbound.c.id == photo.c.inbound_id)
            .where(photo.c.id == photo_id, photo.c.sha256.is_(None), photo.c.state != "refused")
        ).first()
    if row is None:
        return
    media = Media(row.mime_type, locator=row.locator, sha256=row.expected_sha256)
    try:
        content = site.channels.named(row.carrier).fetch(media)
    except ChannelError as error:
        if not error.permanent:
            raise
        with site.db.write() as tx:
            tx.execute(photo.update().where(photo.c.id == photo_id).values(state="refused", error="photo-lost"))
            tell_worker(tx, row, "photo-lost", key=f"refused:{photo_id}")
        return
    sha256 = site.media.receive(content)
    with site.db.write() as tx:
        # Still wanted: its consent may have been taken back meanwhile.
        kept = tx.execute(
            photo.update().where(photo.c.id == photo_id, photo.c.state != "refused").values(sha256=sha256)
        )
        if kept.rowcount:
            read_when_complete(tx, photo_id)
    if not kept.rowcount:
        site.media.erase(sha256)
