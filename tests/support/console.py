"""People at the console: signed in without the cost of a real password, on a site with something to see."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.engine import Connection

from services.people import accounts
from services.people.passwords import Cost
from services.people.sessions import Life, begin
from services.runtime import Runtime
from services.screening.cases import open_screening
from services.screening.people import add_worker
from services.screening.results import announce
from services.store.clock import now_ms
from services.store.rows import inbound_name
from services.store.sealing import seal
from services.store.tables import inbound, photo, reading, screening

CHEAP = Cost(passes=1, memory_kib=8)
PASSWORD = "the lake at dawn"
HERE = "http://localhost:8080"
WORKER, PATIENT = "+254711000001", "+254722000002"


def account(site: Runtime, name: str, *roles: str) -> str:
    """A session's token of a new account, whose password is PASSWORD."""
    with site.db.write() as tx:
        accounts.add(tx, name, set(roles), password=PASSWORD, cost=CHEAP)
    return begin(site.db, name, PASSWORD, "", address="127.0.0.1", life=Life(), cost=CHEAP)[0]


def sign_in(client: FlaskClient, site: Runtime, name: str, *roles: str) -> None:
    """The client as somebody new."""
    client.set_cookie("jicho", account(site, name, *roles), domain="localhost")


def token_in(page: str) -> str:
    """What a form on a page holds."""
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]


def photograph(colour: int) -> bytes:
    """A small JPEG."""
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (colour, 60, 20)).save(content, "JPEG")
    return content.getvalue()


def screened(site: Runtime, left: str = "refer", right: str = "rescreen", *, phone: str | None = PATIENT) -> int:
    """The number of a screening with a photograph and a reading of each eye: "refer", "rescreen", "retake" or
    "doubtful"."""
    with site.db.write() as tx:
        add_worker(tx, msisdn=WORKER, name="Achieng", language="en")
        opened = open_screening(
            tx,
            worker=WORKER,
            sex="female",
            birth_year=1961,
            phone=phone,
            language="sw",
            consent_version="2026-11",
            channel="ussd",
        )
        case = tx.execute(screening.select().where(screening.c.code == opened["code"])).one()
        for eye, outcome in (("left", left), ("right", right)):
            _read(tx, site, case.id, eye, outcome)
        if "refer" in (left, right) or (left, right) == ("rescreen", "rescreen"):
            announce(tx, case.id, "refer" if "refer" in (left, right) else "rescreen")
    return int(case.id)


def _read(tx: Connection, site: Runtime, case: int, eye: str, outcome: str) -> None:
    content = photograph(case % 200 + len(eye))
    sha256 = site.media.receive(content)
    site.media.replace(sha256, content)
    heat = None
    if outcome == "refer":
        drawn = photograph(200)
        heat = hashlib.sha256(drawn).hexdigest()
        site.media.replace(heat, drawn)
    came: dict[str, Any] = {
        "carrier": "whatsapp",
        "provider_id": f"wamid.{case}.{eye}",
        "kind": "whatsapp",
        "sender": WORKER,
        "recipient": "",
        "text": seal(inbound.c.text, inbound_name("whatsapp", f"wamid.{case}.{eye}"), ""),
        "received_at": now_ms(),
    }
    came_id = tx.execute(inbound.insert().values(came).returning(inbound.c.id)).scalar_one()
    taken: dict[str, Any] = {
        "inbound_id": came_id,
        "position": 0,
        "sender": WORKER,
        "mime_type": "image/jpeg",
        "locator": "",
        "expected_sha256": "",
        "sha256": sha256,
        "screening_id": case,
        "eye": eye,
        "state": "read",
        "received_at": now_ms(),
    }
    taken_id = tx.execute(photo.insert().values(taken).returning(photo.c.id)).scalar_one()
    tx.execute(
        reading.insert().values(
            photo_id=taken_id,
            screening_id=case,
            eye=eye,
            outcome="retake" if outcome == "doubtful" else outcome,
            gradable=outcome != "retake",
            quality_score=0.9,
            quality_reasons=[],
            probability=0.91 if outcome == "refer" else 0.08,
            oedema_probability=0.1,
            heatmap=heat,
            tier="full",
            tier_reason="best",
            model_name="dr",
            model_version="1.0.0",
            model_sha256="ab" * 32,
            threshold=0.5,
            milliseconds={},
            read_at=now_ms(),
        )
    )
