"""What a site has to tell, from its own store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from services.fhir.deciding import deciding
from services.fhir.pseudonym import Pseudonyms, pseudonyms
from services.fhir.records import (
    Change,
    Consent,
    Eye,
    Facility,
    Grade,
    Model,
    Outcome,
    Record,
    Referral,
    Screening,
    Verdict,
    Withdrawn,
)
from services.fhir.source import PROGRAMMES, Cursor, after, latest
from services.runtime import Runtime
from services.store.phones import number_of
from services.store.tables import consent, facility, reading, referral, review, screening

_STATES: dict[str, Literal["active", "completed", "revoked", "unknown"]] = {
    "attended": "completed",
    "withdrawn": "revoked",
    "closed": "unknown",
}


class Site:
    """The decided and the withdrawn screenings of one site, in the order in which they last changed."""

    def __init__(self, site: Runtime) -> None:
        self._db, self._clinic = site.db, site.settings.clinic
        self._names = pseudonyms(site.settings.data_dir)

    def changes(self, cursor: Cursor, limit: int) -> list[Change]:
        """The next ones after a cursor."""
        with self._db.read() as tx:
            return [self._change(tx, row) for row in tx.execute(_changed(tx, cursor, limit))]

    def _change(self, tx: Connection, row: Any) -> Change:
        record: Record
        if row.state == "withdrawn":
            record = Withdrawn(self._names.site, row.id)
        else:
            record = _screening(tx, row, self._names, self._clinic)
        return Change(int(row.changed_at), row.id, record)


def _changed(tx: Connection, cursor: Cursor, limit: int) -> sa.Select[Any]:
    read = sa.select(sa.func.max(reading.c.read_at)).where(reading.c.screening_id == screening.c.id).scalar_subquery()
    of_case = review.c.screening_id == screening.c.id
    reviewed = sa.select(sa.func.max(review.c.applied_at)).where(of_case, review.c.applied).scalar_subquery()
    changed_at = latest(tx, screening.c.decided_at, consent.c.withdrawn_at, referral.c.answered_at, read, reviewed)
    # Undecided again, if a reviewer wants new photographs; what was told of it before is not true any more.
    overruled = sa.exists().where(of_case, review.c.applied, review.c.outcome_before.is_not(None))
    to_tell = sa.or_(screening.c.state.in_(("decided", "withdrawn")), overruled)
    return (
        sa.select(
            screening,
            consent.c.version,
            consent.c.given_at,
            changed_at.label("changed_at"),
        )
        .outerjoin(consent, consent.c.screening_id == screening.c.id)
        .outerjoin(referral, referral.c.screening_id == screening.c.id)
        .where(screening.c.programme.in_(PROGRAMMES), to_tell, after(cursor, changed_at, screening.c.id))
        .order_by(changed_at, screening.c.id)
        .limit(limit)
    )


def _screening(tx: Connection, row: Any, names: Pseudonyms, clinic: str) -> Screening:
    readings = tx.execute(sa.select(reading).where(reading.c.screening_id == row.id).order_by(reading.c.id)).all()
    of_case = review.c.screening_id == row.id, review.c.applied
    number = number_of(tx, row.patient_msisdn) if row.patient_msisdn else None
    reviews = tx.execute(sa.select(review).where(*of_case).order_by(review.c.id)).all()
    return Screening(
        site=names.site,
        number=row.id,
        clinic=clinic,
        programme=row.programme,
        sex=row.sex,
        birth_year=row.birth_year,
        outcome=_concluded(row, reviews),
        urgent=row.priority == "urgent",
        decided_at=row.decided_at or reviews[-1].reviewed_at,
        eyes=tuple(
            Eye(
                eye=eye,
                finding=finding,
                model=Model(
                    name=chosen.model_name,
                    version=chosen.model_version,
                    tier=chosen.tier,
                    sha256=chosen.model_sha256,
                    threshold=chosen.threshold,
                    oedema_threshold=chosen.oedema_threshold,
                ),
                quality=chosen.quality_score,
                quality_reasons=tuple(chosen.quality_reasons),
                probability=chosen.probability,
                oedema_probability=chosen.oedema_probability,
                read_at=chosen.read_at,
            )
            for eye, finding, chosen in deciding(readings)
        ),
        patient=names.patient(number) if number else "",
        consent=Consent(row.version, row.given_at) if row.version is not None else None,
        referral=_referral(tx, row.id, names.site),
        verdict=_verdict(reviews, readings),
    )


def _concluded(row: Any, reviews: Sequence[Any]) -> Outcome:
    """What stood here before anybody looked."""
    found: Outcome = next((each.outcome_before for each in reviews if each.outcome_before), row.outcome)
    return found


def _verdict(reviews: Sequence[Any], readings: Sequence[Any]) -> Verdict | None:
    """The last verdict, unless photographs came since that it knows nothing of."""
    if not reviews or (readings and readings[-1].id > reviews[-1].last_reading):
        return None
    held = reviews[-1]
    return Verdict(
        reviewer=str(held.reviewer),
        outcome=held.outcome,
        at=held.reviewed_at,
        eyes={name: Grade(found["grade"], found["oedema"]) for name, found in held.eyes.items()},
    )


def _referral(tx: Connection, screening_id: int, site: str) -> Referral | None:
    row = tx.execute(
        sa.select(referral, facility.c.name, facility.c.town)
        .outerjoin(facility, facility.c.id == referral.c.facility_id)
        .where(referral.c.screening_id == screening_id)
    ).first()
    if row is None:
        return None
    return Referral(
        urgency=row.urgency,
        state=_STATES.get(row.state, "active"),
        authored_at=row.opened_at,
        due_at=row.due_at,
        facility=Facility(f"{site}-{row.facility_id}", row.name, row.town) if row.name is not None else None,
    )
