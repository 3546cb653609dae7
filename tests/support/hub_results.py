"""Results at a hub as they stand in its store once a site has sent them, and somebody who is signed in."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from flask.testing import FlaskClient

from services.hub.reviewers import add
from services.hub.runtime import Hub
from services.hub.tables import eye, model, photograph, result, site
from services.store.clock import now_ms

HTTPS = "https://hub.example"
MODEL = {
    "tier": "full",
    "name": "dr",
    "version": "0.2.0",
    "sha256": "e8b51a3d",
    "threshold": 0.2471,
    "doubt": 0.1397,
    "oedema_threshold": 0.379,
}
READINGS: dict[str, dict[str, Any]] = {
    "normal": {"outcome": "rescreen", "gradable": True, "probability": 0.05},
    "referable": {"outcome": "refer", "gradable": True, "probability": 0.91},
    "doubtful": {"outcome": "retake", "gradable": True, "probability": 0.19},
    "ungradable": {"outcome": "retake", "gradable": False, "probability": None},
}


def site_at(hub: Hub, name: str = "Siaya") -> int:
    """A site that is enrolled and was just seen."""
    with hub.db.write() as tx:
        row = {"name": name, "public_key": name.encode().ljust(32), "enrolled_at": now_ms(), "seen_at": now_ms()}
        number: int = tx.execute(site.insert().values(row).returning(site.c.id)).scalar_one()
    return number


def model_at(hub: Hub, **changes: Any) -> int:
    """A model that sites use."""
    values = MODEL | changes
    with hub.db.write() as tx:
        row = values | {"fingerprint": "".join(map(str, values.values()))}
        number: int = tx.execute(model.insert().values(row).returning(model.c.id)).scalar_one()
    return number


def result_at(
    hub: Hub,
    site_id: int,
    model_id: int,
    *found: tuple[str, str],
    ref: int,
    seq: int | None = None,
    outcome: str = "refer",
    shown: Collection[str] = (),
    **changes: Any,
) -> int:
    """A decided screening; `found` are readings as (eye, one of READINGS). Of the eyes `shown` a photograph came."""
    now = now_ms()
    values = {"programme": "dr", "sex": "female", "birth_year": 1961, "priority": "routine", "outcome": outcome}
    values |= {"site_id": site_id, "screening_ref": ref, "seq": seq or ref, "worker_ref": 3}
    values |= {"opened_at": now - 300_000, "decided_at": now, "received_at": now} | changes
    with hub.db.write() as tx:
        number: int = tx.execute(result.insert().values(values).returning(result.c.id)).scalar_one()
        for position, (which, kind) in enumerate(found):
            row = READINGS[kind] | {"result_id": number, "position": position, "eye": which, "model_id": model_id}
            tx.execute(eye.insert().values(row | {"quality_score": 0.9, "oedema_probability": 0.02}))
        for position, which in enumerate(shown):
            picture = {"site_id": site_id, "photo_ref": ref * 10 + position, "screening_ref": ref, "eye": which}
            picture |= {"sha256": "", "bytes": 1, "media_key": f"{site_id}/{ref}-{which}", "received_at": now}
            tx.execute(photograph.insert().values(picture))
    return number


def sign_in(hub: Hub, client: FlaskClient, name: str = "Dr Atieno", role: Any = "reviewer") -> None:
    """Lets somebody in, and in this browser."""
    with hub.db.write() as tx:
        password = add(tx, name, role)
    answer = client.post("/login", data={"name": name, "password": password}, base_url=HTTPS)
    assert answer.status_code == 302, answer.text


def token_in(page: str) -> str:
    """What the forms of a page hold."""
    match = re.search(r'name="token" value="(\w+)"', page)
    assert match, page
    return match[1]
