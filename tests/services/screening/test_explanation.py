"""A referred eye has a heat map among the media; no other has one, and no result waits for it."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from phones import WORKER, open_case
from PIL import Image

from models.dr.phantom import draw
from services.channels.base import Inbound, Kind, Media
from services.inference import heatmap
from services.messaging.inbox import receive
from services.runtime import Runtime
from services.screening.reading import read_photo
from services.store.tables import reading


def concluded(site: Runtime, image: Image.Image) -> Any:
    """The stored reading of one photograph."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    media = (Media("image/jpeg", content=file.getvalue()),)
    assert receive(site, Inbound("mm7", Kind.MMS, "1", WORKER, "", f"{open_case(site)} left", media))
    read_photo(site, {"photo_id": 1})
    read_photo(site, {"photo_id": 1})
    with site.db.read() as tx:
        return tx.execute(sa.select(reading)).one()


def test_a_referred_eye_has_a_heat_map(site: Runtime) -> None:
    row = concluded(site, draw(1, 600, lesions=True))
    assert (row.outcome, row.signs) == ("refer", ["retinopathy", "oedema"])
    with Image.open(io.BytesIO(site.media.content(row.heatmap))) as kept:
        assert (kept.format, kept.size) == ("JPEG", (320, 320))


@pytest.mark.parametrize(
    ("image", "outcome"), [(draw(3, 600), "rescreen"), (Image.new("RGB", (600, 600), (90, 90, 90)), "retake")]
)
def test_no_other_has_one(site: Runtime, image: Image.Image, outcome: str) -> None:
    row = concluded(site, image)
    assert (row.outcome, row.signs, row.heatmap) == (outcome, [], None)


def test_a_heat_map_that_fails_costs_nobody_a_result(site: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError("no space left on device")

    monkeypatch.setattr(heatmap, "overlay", fail)
    row = concluded(site, draw(1, 600, lesions=True))
    assert (row.outcome, row.heatmap) == ("refer", None)


def test_what_a_reading_rests_on_is_stored(site: Runtime) -> None:
    row = concluded(site, draw(3, 600))
    assert row.confidence == max(row.probability, 1 - row.probability)
    assert 0 < row.doubt <= row.threshold
