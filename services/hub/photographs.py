"""Photographs at the hub: put away once they are complete and sound, erased when a consent is taken back."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.hub import runtime, uploads
from services.hub.down import lock_site
from services.hub.media import HubMedia
from services.hub.runtime import Hub
from services.hub.tables import media_erasure, photograph, result, upload
from services.hub.uploads import Upload
from services.screening.sanitise import MAX_PIXELS
from services.store.clock import now_ms
from services.store.database import insert_once
from services.sync.about import About, Grid, read_header

_LOG = logging.getLogger(__name__)


class Unsound(Exception):
    """What came is not what was announced, or no photograph. `mismatch`: its checksum is another."""

    def __init__(self, reason: str, *, mismatch: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.mismatch = reason, mismatch


def finish(hub: Hub, complete: Upload) -> None:
    """Puts a complete upload away: file, heat map and row. May run twice, also at once, with one effect.

    Raises Unsound, after which the upload is over; what the store of media raises, after which it can be tried again.
    """
    about = About.from_metadata(read_header(complete.metadata))
    with hub.db.read() as tx:
        content = uploads.content_of(tx, complete.id)
    try:
        _check(content, about)
    except Unsound as problem:
        _LOG.warning("photograph refused", extra={"site": complete.site_id, "reason": problem.reason})
        with hub.db.write() as tx:
            uploads.end(tx, [complete.id], uploads.REFUSED)
        raise
    key = f"{complete.site_id}/{about.photo_ref}-{about.sha256[:16]}.jpg"
    hub.media.put(key, content)
    heatmap_key = _put_heatmap(hub, key, content, about.heat)
    row = {
        "site_id": complete.site_id,
        "photo_ref": about.photo_ref,
        "screening_ref": about.screening_ref,
        "eye": about.eye,
        "sha256": about.sha256,
        "bytes": len(content),
        "media_key": key,
        "heatmap_key": heatmap_key,
        "probability_before": about.before,
        "probability_after": about.after,
        "received_at": now_ms(),
    }
    with hub.db.write() as tx:
        lock_site(tx, complete.site_id)
        if not is_withdrawn(tx, complete.site_id, about.screening_ref):
            insert_once(tx, photograph, row, key=("site_id", "photo_ref"))
        uploads.end(tx, [complete.id], uploads.FINISHED)
        _erase_unless_kept(tx, hub.media, [each for each in (key, heatmap_key) if each])


def of_result(tx: Connection, result_id: int) -> list[dict[str, Any]]:
    """The photographs of a result, in the order in which they were taken: `{"id", "eye", "has_heatmap", "before",
    "after"}`."""
    of_screening = photograph.c.site_id == result.c.site_id, photograph.c.screening_ref == result.c.screening_ref
    rows = tx.execute(
        sa.select(
            photograph.c.id,
            photograph.c.eye,
            photograph.c.heatmap_key.is_not(None).label("has_heatmap"),
            photograph.c.probability_before.label("before"),
            photograph.c.probability_after.label("after"),
        )
        .join(result, sa.and_(*of_screening))
        .where(result.c.id == result_id)
        .order_by(photograph.c.photo_ref)
    )
    return [dict(row) for row in rows.mappings()]


def content_of(hub: Hub, number: int, *, heatmap: bool = False) -> bytes | None:
    """The file of a photograph, or its heat map's; None if there is none."""
    column = photograph.c.heatmap_key if heatmap else photograph.c.media_key
    with hub.db.read() as tx:
        key = tx.execute(sa.select(column).where(photograph.c.id == number)).scalar()
    if key is None:
        return None
    try:
        return hub.media.get(key)
    except FileNotFoundError:
        return None


def is_withdrawn(tx: Connection, site_id: int, screening_ref: int) -> bool:
    """Whether the hub knows that this screening's consent was taken back."""
    of_screening = result.c.site_id == site_id, result.c.screening_ref == screening_ref
    return bool(tx.execute(sa.select(result.c.withdrawn).where(*of_screening)).scalar())


def erase_withdrawn(tx: Connection, site_id: int, result_ids: Sequence[int]) -> None:
    """Erases the photographs of withdrawn results, those on their way too. Files that cannot be deleted now are later,
    by `erase_due`."""
    refs = sa.select(result.c.screening_ref).where(result.c.id.in_(result_ids))
    wanted = set(tx.execute(refs).scalars())
    gone = tx.execute(
        photograph.delete()
        .where(photograph.c.site_id == site_id, photograph.c.screening_ref.in_(wanted))
        .returning(photograph.c.media_key, photograph.c.heatmap_key)
    ).all()
    coming = tx.execute(
        sa.select(upload.c.id, upload.c.metadata).where(
            upload.c.site_id == site_id, upload.c.state == uploads.RECEIVING
        )
    )
    theirs = [row.id for row in coming if About.from_metadata(read_header(row.metadata)).screening_ref in wanted]
    uploads.end(tx, theirs, uploads.TERMINATED)
    _erase(tx, runtime.current().media, [key for row in gone for key in row if key])


def erase_due(hub: Hub) -> int:
    """Deletes what came of photographs that were not finished in time, and the files whose deletion failed before. How
    many files there were."""
    with hub.db.write() as tx:
        uploads.expire(tx)
        keys = tx.execute(sa.select(media_erasure.c.key).limit(100)).scalars().all()
        _erase(tx, hub.media, list(keys))
    return len(keys)


def _erase_unless_kept(tx: Connection, media: HubMedia, keys: list[str]) -> None:
    """Files of a photograph that came another time before, or whose consent was taken back meanwhile."""
    kept = set(tx.execute(sa.select(photograph.c.media_key).where(photograph.c.media_key.in_(keys))).scalars())
    kept |= set(tx.execute(sa.select(photograph.c.heatmap_key).where(photograph.c.heatmap_key.in_(keys))).scalars())
    _erase(tx, media, [key for key in keys if key not in kept])


def _erase(tx: Connection, media: HubMedia, keys: list[str]) -> None:
    for key in keys:
        try:
            media.delete(key)
        except Exception:  # each store of media has its own errors
            _LOG.exception("not erased yet", extra={"key": key})
            insert_once(tx, media_erasure, {"key": key, "asked_at": now_ms()}, key=("key",))
        else:
            tx.execute(media_erasure.delete().where(media_erasure.c.key == key))


def _check(content: bytes, about: About) -> None:
    from PIL import Image

    if hashlib.sha256(content).hexdigest() != about.sha256:
        raise Unsound("what came has another checksum than was announced", mismatch=True)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            wide, high = image.size
            if wide * high > MAX_PIXELS:
                raise Unsound(f"{wide} × {high} pixels")
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unsound(f"not a photograph: {type(error).__name__}") from None


def _put_heatmap(hub: Hub, key: str, content: bytes, heat: Grid | None) -> str | None:
    """Draws the heat map over the photograph as it came. A photograph stands without one."""
    if heat is None:
        return None
    import numpy as np
    from PIL import Image

    from services.inference.heatmap import Heat, overlay
    from services.inference.preprocess import find_field

    try:
        with Image.open(io.BytesIO(content)) as opened:
            image = opened.convert("RGB")
        cells = np.frombuffer(heat.cells, dtype=np.uint8).reshape(heat.rows, heat.columns)
        grid = (cells / 255).astype(np.float32)
        drawn = overlay(image, Heat(grid, find_field(image), "sent"))
    except Exception:
        _LOG.exception("no heat map", extra={"key": key})
        return None
    heatmap_key = key.removesuffix(".jpg") + "-heat.jpg"
    hub.media.put(heatmap_key, drawn)
    return heatmap_key
