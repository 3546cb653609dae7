"""The heat map that a reviewer sees beside the photograph of a referred eye."""

from __future__ import annotations

import hashlib
import logging

import sqlalchemy as sa

from services.inference import heatmap
from services.inference.engine import Engine, Reading
from services.runtime import Runtime
from services.screening.sanitise import Photograph
from services.store.tables import reading

_LOG = logging.getLogger(__name__)


def keep_heatmap(site: Runtime, engine: Engine, photo_id: int, photograph: Photograph, found: Reading) -> None:
    """Keeps the heat map of a referable eye among the media, named in its reading; does nothing for any other eye.

    Called when the reading is concluded and those concerned are told: nobody waits for an illustration, and a result
    stands without one.
    """
    if not found.referable:
        return
    with site.db.read() as tx:
        wanted = tx.execute(
            sa.select(reading.c.id).where(reading.c.photo_id == photo_id, reading.c.heatmap.is_(None))
        ).scalar()
    if wanted is None:
        return
    try:
        heat = heatmap.explain(engine, photograph.image, found)
        if heat is None:
            return
        jpeg = heatmap.overlay(photograph.image, heat)
        sha256 = hashlib.sha256(jpeg).hexdigest()
        site.media.replace(sha256, jpeg)  # made here, so clean from the first
    except Exception:
        _LOG.exception("no heat map", extra={"photo": photo_id})
        return
    with site.db.write() as tx:
        kept = tx.execute(reading.update().where(reading.c.id == wanted).values(heatmap=sha256))
    if not kept.rowcount:  # erased meanwhile, with its consent
        site.media.erase(sha256)
