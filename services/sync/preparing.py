"""The inference worker's part in sending a photograph: the file to send, what the model says of it before and after,
and where it sees its signs. The sync process never loads a model."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from services.runtime import Runtime
from services.store.files import write_sealed
from services.store.keyring import site_keys
from services.store.tables import photo, photo_upload, screening
from services.sync.about import Grid
from services.sync.compress import TooMuchLost, compress
from services.sync.photographs import CHOSEN, READY, REFUSED, erase_file, outgoing

if TYPE_CHECKING:
    from PIL import Image

    from services.inference.engine import Engine, Reading

_LOG = logging.getLogger(__name__)


def prepare_photograph(site: Runtime, argument: Mapping[str, Any]) -> None:
    """Makes the file of the photograph `argument["photo_id"]`, unless that was done or is no longer wanted."""
    from services.screening.engines import grader

    photo_id = int(argument["photo_id"])
    of_photo = photo_upload.c.photo_id == photo_id, photo_upload.c.state == CHOSEN
    with site.db.read() as tx:
        query = (
            sa.select(photo.c.sha256, screening.c.programme)
            .join(photo_upload, photo_upload.c.photo_id == photo.c.id)
            .join(screening, screening.c.id == photo.c.screening_id)
            .where(*of_photo, photo.c.sha256.is_not(None))
        )
        row = tx.execute(query).first()
    if row is None:
        return
    try:
        original, most = site.media.content(row.sha256), site.settings.sync_photograph_kb * 1000
        content, values = _prepared(grader(row.programme), original, most)
    except (TooMuchLost, FileNotFoundError) as problem:
        _LOG.warning("photograph not sent", extra={"photo": photo_id, "reason": str(problem)})
        with site.db.write() as tx:
            tx.execute(photo_upload.update().where(*of_photo).values(state=REFUSED, error=str(problem)[:200]))
        return
    write_sealed(outgoing(site, photo_id), content, site_keys())
    with site.db.write() as tx:
        wanted = tx.execute(photo_upload.update().where(*of_photo).values(values | {"state": READY}))
    if not wanted.rowcount:  # erased meanwhile, with its consent; or another run was faster, and made the same file
        with site.db.read() as tx:
            known = tx.execute(sa.select(photo_upload.c.id).where(photo_upload.c.photo_id == photo_id)).first()
        if known is None:
            erase_file(site, photo_id)


def _prepared(engine: Engine, original: bytes, max_bytes: int) -> tuple[bytes, dict[str, Any]]:
    """The file to send and its columns. Raises TooMuchLost."""
    seen: list[tuple[Image.Image, Reading]] = []

    def probability(image: Image.Image) -> float | None:
        found = engine.read(image)
        seen.append((image, found))
        return found.probability

    small = compress(original, max_bytes, probability)
    return small.jpeg, {
        "bytes": len(small.jpeg),
        "sha256": hashlib.sha256(small.jpeg).hexdigest(),
        "probability_before": small.before,
        "probability_after": small.after,
        "heat": _heat(engine, *seen[0]),
    }


def _heat(engine: Engine, image: Image.Image, found: Reading) -> str | None:
    """The heat map of a referable eye as it goes over the wire: tens of bytes, over which the hub draws it again."""
    import numpy as np

    from services.inference.heatmap import explain

    heat = explain(engine, image, found)
    if heat is None:
        return None
    rows, columns = heat.grid.shape
    cells = np.clip(np.rint(heat.grid * 255), 0, 255).astype(np.uint8)
    return Grid(rows, columns, cells.tobytes()).as_text()
