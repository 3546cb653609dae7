"""What a site tells of its own screenings."""

from __future__ import annotations

import json
import re

import pytest
from fhir_cases import BLURRED, DOUBTFUL, NORMAL, REFERABLE, code_of, decided
from phones import PATIENT, WORKER, open_another

from services.fhir.bundle import transaction
from services.fhir.edge import Site
from services.fhir.records import Change, Grade, Screening, Withdrawn
from services.fhir.resources import Names
from services.fhir.source import Cursor
from services.runtime import Runtime
from services.screening.facilities import Facility, put
from services.screening.referral import record_answer
from services.screening.withdrawal import erase_screening, withdraw_consent
from services.store.clock import now_ms
from services.store.tables import referral, screening
from services.sync.verdicts import apply

FACILITY = Facility("Siaya Eye Unit", "Siaya", phone="+254733000009")


def changes(site: Runtime, cursor: Cursor | None = None, limit: int = 100) -> list[Change]:
    return Site(site).changes(cursor or Cursor(), limit)


def only(site: Runtime) -> Screening:
    (change,) = changes(site)
    assert isinstance(change.record, Screening)
    return change.record


def test_everything_that_is_known_of_a_referred_patient(site: Runtime) -> None:
    with site.db.write() as tx:
        put(tx, FACILITY)
    number = decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    found = only(site)
    assert (found.number, found.clinic, found.sex, found.birth_year) == (number, "Jicho", "female", 1961)
    assert (found.outcome, found.urgent, found.programme, found.verdict) == ("refer", False, "dr", None)
    left, right = found.eyes
    assert (left.eye, left.finding, left.probability, left.oedema_probability) == ("left", "referable", 0.91, 0.12)
    assert (right.eye, right.finding) == ("right", "not-referable")
    assert (left.model.name, left.model.version, left.model.threshold) == ("jicho-dr", "0.2.0", 0.2471)
    assert found.consent is not None
    assert found.consent.version == "test"
    assert found.referral is not None
    assert (found.referral.state, found.referral.urgency) == ("active", "routine")
    assert found.referral.facility is not None
    assert (found.referral.facility.name, found.referral.facility.town) == ("Siaya Eye Unit", "Siaya")


@pytest.mark.parametrize(
    ("readings", "finding", "probability"),
    [
        ((BLURRED, BLURRED), "ungradable", None),
        ((DOUBTFUL, BLURRED), "ungradable", None),
        ((BLURRED, DOUBTFUL), "doubtful", 0.21),
        ((DOUBTFUL, NORMAL), "not-referable", 0.05),
        ((REFERABLE, NORMAL), "referable", 0.91),
        ((REFERABLE | {"probability": 0.3}, REFERABLE), "referable", 0.91),
        ((BLURRED, NORMAL), "not-referable", 0.05),
    ],
)
def test_an_eye_is_told_by_the_photograph_that_decided(
    site: Runtime, readings: tuple[dict[str, object], ...], finding: str, probability: float | None
) -> None:
    decided(site, *(("left", each) for each in readings), first=True)
    (left,) = only(site).eyes
    assert (left.finding, left.probability) == (finding, probability)
    assert left.quality_reasons == (("quality-blurred",) if finding == "ungradable" else ())


def test_who_is_not_decided_is_not_told(site: Runtime) -> None:
    decided(site, ("left", NORMAL), ("right", NORMAL), outcome="rescreen", first=True)
    open_another(site)
    other = decided(site, ("left", NORMAL), ("right", NORMAL), outcome="rescreen")
    with site.db.write() as tx:
        tx.execute(screening.update().where(screening.c.id == other).values(programme="maize"))
    found = only(site)
    assert (found.outcome, found.referral) == ("rescreen", None)


def test_no_number_name_or_code_in_any_resource(site: Runtime) -> None:
    with site.db.write() as tx:
        put(tx, FACILITY)
    numbers = [decided(site, ("left", REFERABLE), ("right", BLURRED), first=True), decided(site, ("left", REFERABLE))]
    with site.db.write() as tx:
        tx.execute(screening.update().where(screening.c.id == numbers[1]).values(patient_msisdn=None))
    text = json.dumps(transaction([change.record for change in changes(site)], Names("urn:jicho")))
    for secret in (PATIENT, WORKER, FACILITY.phone):
        assert secret not in text
        assert secret[4:] not in text
    assert "Achieng" not in text
    assert "telecom" not in text
    for number in numbers:
        assert not re.search(rf"(?<![0-9a-f]){code_of(site, number)}(?![0-9a-f])", text)
    patients = {change.record.patient for change in changes(site) if isinstance(change.record, Screening)}
    assert len(patients) == 2
    assert all(re.fullmatch(r"([0-9a-f]{12})?", patient) for patient in patients)


def test_one_phone_is_one_patient_and_a_secret_key_hides_it(site: Runtime) -> None:
    decided(site, ("left", REFERABLE), first=True)
    decided(site, ("left", NORMAL))
    first = [change.record.patient for change in changes(site) if isinstance(change.record, Screening)]
    assert first[0] == first[1]
    kept = site.settings.data_dir / "site" / "fhir.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    again = [change.record.patient for change in changes(site) if isinstance(change.record, Screening)]
    assert again[0] != first[0]


def test_changes_come_in_order_and_pages(site: Runtime) -> None:
    numbers = [decided(site, ("left", NORMAL), first=number == 0) for number in range(5)]
    with site.db.write() as tx:  # several in one millisecond
        tx.execute(screening.update().values(decided_at=now_ms() + 1000))
    cursor, seen = Cursor(), []
    while page := changes(site, cursor, 2):
        seen += [change.record.number for change in page]
        cursor = Cursor(page[-1].at, page[-1].number)
    assert seen == numbers


def test_a_visit_is_a_change_and_completes_the_referral(site: Runtime) -> None:
    decided(site, ("left", REFERABLE), first=True)
    (before,) = changes(site)
    with site.db.write() as tx:
        record_answer(tx, referral_id=1, answer="yes", reason=None, by="patient")
        tx.execute(referral.update().values(answered_at=before.at + 5000))
    (after,) = changes(site, Cursor(before.at, before.number))
    assert isinstance(after.record, Screening)
    assert after.record.referral is not None
    assert (after.at, after.record.referral.state) == (before.at + 5000, "completed")


def verdict(number: int, outcome: str, **changes: object) -> dict[str, object]:
    eyes = {"left": {"grade": 3, "oedema": True}, "right": {"grade": None, "oedema": False}}
    told = {"screening": number, "review": 1, "seq": 10**6, "reviewer": 5, "eyes": eyes, "note": None}
    return told | {"outcome": outcome, "at": now_ms()} | changes


def test_a_reviewer_s_verdict_makes_it_final(site: Runtime) -> None:
    number = decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    with site.db.write() as tx:
        apply(tx, verdict(number, "refer"))
    found = only(site)
    assert found.verdict is not None
    assert (found.verdict.reviewer, found.verdict.outcome, found.outcome) == ("5", "refer", "refer")
    assert found.verdict.eyes == {"left": Grade(3, True), "right": Grade(None, False)}


def test_a_reviewer_overrules(site: Runtime) -> None:
    number = decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    with site.db.write() as tx:
        apply(tx, verdict(number, "rescreen", eyes={"left": {"grade": 0, "oedema": False}}))
    found = only(site)
    assert found.verdict is not None
    assert (found.outcome, found.verdict.outcome) == ("refer", "rescreen")
    assert found.referral is not None
    assert found.referral.state == "revoked"


def test_who_has_to_come_again_is_told_so(site: Runtime) -> None:
    number = decided(site, ("left", DOUBTFUL), ("left", DOUBTFUL), first=True)
    with site.db.write() as tx:
        apply(tx, verdict(number, "retake", eyes={"left": {"grade": None, "oedema": False}}))
    found = only(site)
    assert found.verdict is not None
    assert (found.outcome, found.verdict.outcome) == ("refer", "retake")


def test_what_is_withdrawn_is_told_as_nothing_else(site: Runtime) -> None:
    number = decided(site, ("left", REFERABLE), first=True)
    with site.db.write() as tx:
        withdraw_consent(tx, code=code_of(site, number), msisdn=WORKER, by="worker", channel="ussd")
    for _ in range(2):
        (change,) = changes(site)
        assert change.record == Withdrawn(Site(site)._names.site, number)
        erase_screening(site, {"screening_id": number, "final": True})
