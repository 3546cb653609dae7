"""Which photographs go to the hub, and how far each has come. Nothing of a patient who did not consent, or no longer
does, is chosen, kept for sending or sent.

A row is "chosen" until an inference worker has made a file of it, then "ready" until its upload has begun, "sending"
until the hub has all of it, and then "sent"; "refused" if nothing may or can be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.runtime import Runtime
from services.screening.decision import EYES, Finding, outcome_of_eye
from services.settings import current
from services.store.clock import now_ms
from services.store.database import insert_once
from services.store.tables import consent, photo_upload, reading, screening

CHOSEN, READY, SENDING, SENT, REFUSED = "chosen", "ready", "sending", "sent", "refused"


def choose(tx: Connection, screening_id: int) -> None:
    """Chooses what the site sends of a decided screening, as it is now; what was chosen before stays."""
    wanted = current().sync_photographs
    case = _consented(tx, screening_id)
    if wanted == "none" or case is None:
        return
    rows = _readings(tx, screening_id)
    findings = {eye: [_finding(row) for row in rows if row.eye == eye] for eye in EYES}
    shown = EYES if wanted == "all" else eyes_to_show(findings, case.outcome)
    _write(tx, case, [row.photo_id for row in rows if row.eye in shown])


def choose_asked(tx: Connection, content: Mapping[str, Any]) -> None:
    """The hub asks for the photographs of screening `content["screening"]`, which a reviewer is to look at too."""
    case = _consented(tx, int(content["screening"]))
    if current().sync_photographs != "none" and case is not None:
        _write(tx, case, [row.photo_id for row in _readings(tx, case.id)])


def eyes_to_show(findings: Mapping[str, Sequence[Finding]], outcome: str | None) -> frozenset[str]:
    """The eyes that somebody should look at again: referable, ungradable to the end, or doubtful at any time, with all
    their photographs, since some of them may contradict each other. Of a patient who is referred though no eye says so
    (sight lost suddenly, a second photograph that never came), both."""
    shown = {eye for eye, found in findings.items() if "doubtful" in found or outcome_of_eye(found) == "refer"}
    return frozenset(EYES if outcome == "refer" and not shown else shown)


def withdraw(tx: Connection, screening_id: int) -> None:
    """Forgets what was chosen of a screening: even that it was tells of its outcome. The hub deletes what it has when
    it hears of the withdrawal; `erase_file` deletes the files."""
    tx.execute(photo_upload.delete().where(photo_upload.c.screening_id == screening_id))


def start_anew(tx: Connection) -> None:
    """Forgets all: the site has another hub now."""
    tx.execute(photo_upload.delete())


def outgoing(site: Runtime, photo_id: int) -> Path:
    """Where the file to send lies while it waits."""
    return site.settings.data_dir / "outgoing" / f"{photo_id}.jpg"


def erase_file(site: Runtime, photo_id: int) -> None:
    """Deletes the file to send. Raises OSError when the disk refuses."""
    outgoing(site, photo_id).unlink(missing_ok=True)


def backlog(site: Runtime) -> dict[str, int]:
    """For the site's report: photographs that wait, and those that could not be sent."""
    with site.db.read() as tx:
        counts = tx.execute(sa.select(photo_upload.c.state, sa.func.count()).group_by(photo_upload.c.state)).all()
    found = {row[0]: row[1] for row in counts}
    return {"waiting": sum(found.get(state, 0) for state in (CHOSEN, READY, SENDING)), "refused": found.get(REFUSED, 0)}


def _consented(tx: Connection, screening_id: int) -> Any:
    standing = sa.select(consent.c.id).where(consent.c.screening_id == screening.c.id, consent.c.withdrawn_at.is_(None))
    return tx.execute(
        sa.select(screening.c.id, screening.c.outcome, screening.c.priority).where(
            screening.c.id == screening_id, screening.c.outcome.is_not(None), sa.exists(standing)
        )
    ).first()


def _readings(tx: Connection, screening_id: int) -> Sequence[Any]:
    columns = reading.c.photo_id, reading.c.eye, reading.c.outcome, reading.c.gradable
    return tx.execute(sa.select(*columns).where(reading.c.screening_id == screening_id).order_by(reading.c.id)).all()


def _finding(row: Any) -> Finding:
    found: Finding = "doubtful" if row.outcome == "retake" and row.gradable else row.outcome
    return found


def _write(tx: Connection, case: Any, photo_ids: Sequence[int]) -> None:
    for photo_id in photo_ids:
        row = {
            "photo_id": photo_id,
            "screening_id": case.id,
            "urgent": case.priority == "urgent",
            "state": CHOSEN,
            "chosen_at": now_ms(),
        }
        insert_once(tx, photo_upload, row, key=("photo_id",))
