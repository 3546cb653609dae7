"""The job that reads one photograph: clean it, judge its quality, run the model, decide, and tell those concerned.

Everything it concludes is written in one transaction, keyed by the photograph, so that a job that runs twice concludes
once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.inference.engine import Reading, outcome_of
from services.runtime import Runtime
from services.screening.engines import grader
from services.screening.explanation import keep_heatmap
from services.screening.results import settle, tell_worker
from services.screening.sanitise import BadPhotograph, sanitise
from services.store.clock import now_ms
from services.store.database import insert_once
from services.store.tables import inbound, photo, reading, screening

_LOG = logging.getLogger(__name__)


def read_photo(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Reads the photograph `argument["photo_id"]`, unless that was done before."""
    photo_id = int(argument["photo_id"])
    with site.db.read() as tx:
        row = _attached(tx, photo_id)
    if row is None:
        return
    try:
        photograph = sanitise(site.media.content(row.sha256))
    except BadPhotograph as problem:
        _LOG.info("photograph refused", extra={"photo": photo_id, "reason": problem.message_id})
        with site.db.write() as tx:
            _refuse(tx, row, problem.message_id)
        site.media.discard(row.sha256)
        return
    engine = grader(row.programme)
    found = engine.read(photograph.image)
    site.media.replace(row.sha256, photograph.jpeg)
    with site.db.write() as tx:
        _conclude(tx, row, found)
    keep_heatmap(site, engine, photo_id, photograph, found)


def _attached(tx: Connection, photo_id: int) -> Any:
    return tx.execute(
        sa.select(photo, inbound.c.kind, screening.c.programme)
        .join(inbound, inbound.c.id == photo.c.inbound_id)
        .join(screening, screening.c.id == photo.c.screening_id)
        .where(photo.c.id == photo_id, photo.c.state == "attached", photo.c.sha256.is_not(None))
    ).first()


def _refuse(tx: Connection, row: Any, message_id: str) -> None:
    changed = tx.execute(
        photo.update()
        .where(photo.c.id == row.id, photo.c.state == "attached")
        .values(state="refused", error=message_id)
    )
    if changed.rowcount:
        tell_worker(tx, row, message_id, key=f"refused:{row.id}")


def _conclude(tx: Connection, row: Any, found: Reading) -> None:
    earlier = tx.execute(
        sa.select(photo.c.eye).where(
            photo.c.screening_id == row.screening_id,
            photo.c.sha256 == row.sha256,
            photo.c.state == "read",
            photo.c.id != row.id,
        )
    ).scalar()
    if earlier is not None:
        # The same picture again is neither a second attempt nor the other eye.
        _refuse(tx, row, "photo-repeated" if earlier == row.eye else "photo-of-other-eye")
        return
    # Still wanted: its consent may have been taken back while it was read.
    wanted = tx.execute(photo.update().where(photo.c.id == row.id, photo.c.state == "attached").values(state="read"))
    if not wanted.rowcount or insert_once(tx, reading, _values(row, found), key=("photo_id",)) is None:
        return
    reasons = found.quality.reasons
    settle(tx, row, reason=reasons[0] if reasons else "quality-unclear")


def _values(row: Any, found: Reading) -> dict[str, Any]:
    return {
        "photo_id": row.id,
        "screening_id": row.screening_id,
        "eye": row.eye,
        "outcome": outcome_of(found),
        "gradable": found.quality.gradable,
        "quality_score": found.quality.score,
        "quality_reasons": list(found.quality.reasons),
        "probability": found.probability,
        "confidence": found.confidence,
        "oedema_probability": found.oedema_probability,
        "signs": list(found.signs),
        "tier": found.tier,
        "tier_reason": found.reason,
        "model_name": found.model.name,
        "model_version": found.model.version,
        "model_sha256": found.model.sha256,
        "threshold": found.model.threshold,
        "doubt": found.model.doubt,
        "oedema_threshold": found.model.oedema_threshold,
        "milliseconds": found.milliseconds,
        "read_at": now_ms(),
    }
