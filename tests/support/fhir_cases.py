"""Screenings as a site has them once photographs were read."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa
from phones import open_another, open_case, reading_of, send_photograph

from services.runtime import Runtime
from services.screening.results import announce
from services.store.clock import now_ms
from services.store.rows import opened
from services.store.tables import photo, reading, screening

MODEL = {
    "tier": "full",
    "model_name": "jicho-dr",
    "model_version": "0.2.0",
    "model_sha256": "e8b51a3de04f2d6db206b0d56c6b1fb92b0487b6989a26e9834ac388bf33e95b",
    "threshold": 0.2471,
    "oedema_threshold": 0.379,
}
REFERABLE: dict[str, Any] = {"outcome": "refer", "probability": 0.91, "oedema_probability": 0.12}
NORMAL: dict[str, Any] = {"outcome": "rescreen", "probability": 0.05, "oedema_probability": 0.02}
DOUBTFUL: dict[str, Any] = {"outcome": "retake", "probability": 0.21, "oedema_probability": 0.03}
BLURRED: dict[str, Any] = {
    "outcome": "retake",
    "probability": None,
    "gradable": False,
    "quality_score": 0.2,
    "quality_reasons": ["quality-blurred"],
}
_IDENTITIES = itertools.count(1)


def read(site: Runtime, code: str, eye: str, found: dict[str, Any]) -> None:
    """A photograph of an eye came, and was read so."""
    came = send_photograph(site, code, eye, f"picture-{next(_IDENTITIES)}")
    with site.db.write() as tx:
        tx.execute(photo.update().where(photo.c.id == came.id).values(state="read"))
        tx.execute(reading.insert().values(reading_of(came, **MODEL, **found, read_at=now_ms())))


def decided(site: Runtime, *readings: tuple[str, dict[str, Any]], outcome: Any = "refer", first: bool = False) -> int:
    """The id of a screening of the patient that these readings decided."""
    code = open_case(site) if first else open_another(site)
    for eye, found in readings:
        read(site, code, eye, found)
    with site.db.write() as tx:
        number: int = tx.execute(sa.select(screening.c.id).where(screening.c.code == code)).scalar_one()
        announce(tx, number, outcome)
    return number


def code_of(site: Runtime, screening_id: int) -> str:
    with site.db.read() as tx:
        return opened(
            screening.c.code_sealed, tx.execute(sa.select(screening).where(screening.c.id == screening_id)).one()
        )
