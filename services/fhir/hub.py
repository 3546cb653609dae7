"""What the hub has to tell, of all its sites: with what reviewers found, without consents and facilities, which stay at
the sites."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.fhir.deciding import deciding
from services.fhir.records import Change, Eye, Grade, Model, Record, Referral, Screening, Verdict, Withdrawn
from services.fhir.source import PROGRAMMES, Cursor, after, latest
from services.hub.reviewing import standing
from services.hub.runtime import Hub
from services.hub.tables import eye, model, result, site, verdict

_ATTENDED = "yes"


class HubResults:
    """The decided and the withdrawn screenings of every site, in the order in which the hub last heard of them."""

    def __init__(self, hub: Hub) -> None:
        self._db = hub.db

    def changes(self, cursor: Cursor, limit: int) -> list[Change]:
        """The next ones after a cursor."""
        with self._db.read() as tx:
            return [
                Change(int(row.changed_at), row.id, _record(tx, row)) for row in tx.execute(_changed(tx, cursor, limit))
            ]


def _changed(tx: Connection, cursor: Cursor, limit: int) -> sa.Select[Any]:
    # Of a visit only the site's time is known: one that comes days later is told with the next `--since`.
    changed_at = latest(tx, result.c.received_at, result.c.visit_answered_at, verdict.c.at)
    decided = sa.and_(result.c.programme.in_(PROGRAMMES), result.c.outcome.is_not(None))
    return (
        sa.select(
            result,
            site.c.name.label("clinic"),
            changed_at.label("changed_at"),
            sa.and_(verdict.c.seq == result.c.seq, verdict.c.state != "disputed").label("confirmed"),
            verdict.c.outcome.label("verdict"),
            verdict.c.at.label("verdict_at"),
        )
        .join(site, site.c.id == result.c.site_id)
        .outerjoin(verdict, verdict.c.result_id == result.c.id)
        .where(sa.or_(result.c.withdrawn, decided), after(cursor, changed_at, result.c.id))
        .order_by(changed_at, result.c.id)
        .limit(limit)
    )


def _record(tx: Connection, row: Any) -> Record:
    if row.withdrawn:
        return Withdrawn(str(row.site_id), row.screening_ref)
    rows = tx.execute(
        sa.select(
            eye,
            model.c.name,
            model.c.version,
            model.c.tier,
            model.c.sha256,
            model.c.threshold,
            model.c.oedema_threshold,
        )
        .join(model, model.c.id == eye.c.model_id)
        .where(eye.c.result_id == row.id)
        .order_by(eye.c.position)
    )
    confirmed = _verdict(tx, row) if row.confirmed else None
    return Screening(
        site=str(row.site_id),
        number=row.screening_ref,
        clinic=row.clinic,
        programme=row.programme,
        sex=row.sex,
        birth_year=row.birth_year,
        outcome=row.outcome,
        urgent=row.priority == "urgent",
        decided_at=row.decided_at,
        eyes=tuple(
            Eye(
                eye=name,
                finding=finding,
                model=Model(
                    name=chosen.name,
                    version=chosen.version,
                    tier=chosen.tier,
                    sha256=chosen.sha256,
                    threshold=chosen.threshold,
                    oedema_threshold=chosen.oedema_threshold,
                ),
                quality=chosen.quality_score,
                probability=chosen.probability,
                oedema_probability=chosen.oedema_probability,
            )
            for name, finding, chosen in deciding(rows)
        ),
        patient=row.patient_key.hex() if row.patient_key else "",
        referral=_referral(row, confirmed),
        verdict=confirmed,
    )


def _verdict(tx: Connection, row: Any) -> Verdict | None:
    """Told by the last reviewer who thinks what holds."""
    by = next((each for each in reversed(standing(tx, row.id, row.seq)) if each.outcome == row.verdict), None)
    if by is None:
        return None
    grades = {name: Grade(found["grade"], found["oedema"]) for name, found in by.eyes.items()}
    return Verdict(reviewer=str(by.reviewer_id), outcome=row.verdict, at=row.verdict_at, eyes=grades)


def _referral(row: Any, confirmed: Verdict | None) -> Referral | None:
    if row.outcome == "refer":
        authored_at = row.decided_at
    elif confirmed is not None and confirmed.outcome == "refer":
        authored_at = confirmed.at
    else:
        return None
    attended = row.visit == _ATTENDED
    return Referral(urgency=row.priority, state="completed" if attended else "active", authored_at=authored_at)
