"""What the hub tells of all its sites: the same patients and screenings, with what reviewers found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fhir_cases import NORMAL, REFERABLE, decided
from hub_results import model_at, result_at, site_at
from phones import PATIENT

from services.fhir.edge import Site
from services.fhir.hub import HubResults
from services.fhir.pseudonym import Pseudonyms
from services.fhir.records import Grade, Screening, Withdrawn
from services.fhir.resources import Names, resources
from services.fhir.source import Cursor
from services.hub.reviewers import Reviewer, add
from services.hub.reviewing import save
from services.hub.runtime import Hub
from services.hub.tables import result, reviewer
from services.runtime import Runtime
from services.screening.opinions import EyeFinding, Opinion
from services.store.clock import now_ms


def told(hub: Hub) -> list[Any]:
    return [change.record for change in HubResults(hub).changes(Cursor(), 100)]


def reviewers(hub: Hub, *names: str) -> list[Reviewer]:
    with hub.db.write() as tx:
        for name in names:
            add(tx, name, "reviewer")
        rows = tx.execute(reviewer.select().order_by(reviewer.c.id)).all()
    return [Reviewer(row.id, row.name, row.role) for row in rows]


def test_results_of_all_sites(hub: Hub) -> None:
    model = model_at(hub)
    siaya, bondo = site_at(hub), site_at(hub, "Bondo")
    result_at(
        hub, siaya, model, ("left", "referable"), ("right", "normal"), ref=3, patient_key=b"\x01\x02\x03\x04\x05\x06"
    )
    result_at(hub, bondo, model, ("left", "normal"), ("right", "normal"), ref=3, outcome="rescreen")
    result_at(hub, bondo, model, ("left", "ungradable"), ("left", "doubtful"), ref=4, priority="urgent", visit="yes")
    first, second, third = told(hub)
    assert (first.site, first.number, first.clinic, first.patient) == (str(siaya), 3, "Siaya", "010203040506")
    assert [(eye.eye, eye.finding, eye.probability) for eye in first.eyes] == [
        ("left", "referable", 0.91),
        ("right", "not-referable", 0.05),
    ]
    assert (first.eyes[0].model.version, first.eyes[0].model.threshold) == ("0.2.0", 0.2471)
    assert (first.referral.state, first.referral.urgency) == ("active", "routine")
    assert (second.site, second.clinic, second.patient, second.referral) == (str(bondo), "Bondo", "", None)
    assert (third.eyes[0].finding, third.urgent, third.referral.state) == ("doubtful", True, "completed")
    assert all(each.verdict is None for each in (first, second, third))


def test_a_verdict_makes_it_final_and_a_dispute_does_not(hub: Hub) -> None:
    eyes = (("left", "referable"), ("right", "normal"))
    ref = result_at(hub, site_at(hub), model_at(hub), *eyes, ref=1, shown=("left",))
    (before,) = HubResults(hub).changes(Cursor(), 9)
    atieno, otieno = reviewers(hub, "Dr Atieno", "Dr Otieno")
    severe = Opinion({"left": EyeFinding(3, True)}, "refer")
    with hub.db.write() as tx:
        save(tx, atieno, ref, 1, severe)
    (change,) = HubResults(hub).changes(Cursor(before.at, before.number), 9)
    assert isinstance(change.record, Screening)
    held = change.record.verdict
    assert held is not None
    assert (held.reviewer, held.outcome, held.eyes) == (str(atieno.id), "refer", {"left": Grade(3, True)})
    assert "Atieno" not in str(list(resources(change.record, Names("urn:jicho"))))
    with hub.db.write() as tx:
        save(tx, otieno, ref, 1, Opinion({"left": EyeFinding(1)}, "rescreen"))
    (record,) = told(hub)
    assert record.verdict is None, "they disagree"


def test_a_newer_result_was_not_looked_at(hub: Hub) -> None:
    seen = {"outcome": "rescreen", "shown": ("left",)}
    ref = result_at(hub, site_at(hub), model_at(hub), ("left", "normal"), ref=1, **seen)
    (atieno,) = reviewers(hub, "Dr Atieno")
    with hub.db.write() as tx:
        save(tx, atieno, ref, 1, Opinion({"left": EyeFinding(2)}, "refer"))
    (record,) = told(hub)
    assert (record.outcome, record.verdict.outcome, record.referral.authored_at) == (
        "rescreen",
        "refer",
        record.verdict.at,
    )
    with hub.db.write() as tx:
        tx.execute(result.update().values(seq=2))
    (record,) = told(hub)
    assert (record.verdict, record.referral) == (None, None)


def test_a_visit_is_a_change(hub: Hub) -> None:
    result_at(hub, site_at(hub), model_at(hub), ("left", "referable"), ref=1)
    (before,) = HubResults(hub).changes(Cursor(), 9)
    with hub.db.write() as tx:
        tx.execute(result.update().values(visit="yes", visit_answered_at=before.at + 1000))
    (after,) = HubResults(hub).changes(Cursor(before.at, before.number), 9)
    assert isinstance(after.record, Screening)
    assert after.record.referral is not None
    assert after.record.referral.state == "completed"


def test_what_is_withdrawn_is_deleted_elsewhere(hub: Hub) -> None:
    number = site_at(hub)
    with hub.db.write() as tx:
        row = {"site_id": number, "screening_ref": 9, "seq": 4, "withdrawn": True, "received_at": now_ms()}
        tx.execute(result.insert().values(row))
        tx.execute(result.insert().values(row | {"screening_ref": 8, "withdrawn": False, "seq": 0}))
    assert told(hub) == [Withdrawn(str(number), 9)], "of the other only a visit is known"


def test_site_and_hub_speak_of_the_same_patient_and_screening(
    site: Runtime, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after enrolment: the hub's number for the site, and the key that both have."""
    number = decided(site, ("left", REFERABLE), ("right", NORMAL), first=True)
    siaya = site_at(hub)
    names = Pseudonyms(str(siaya), lambda msisdn: f"{int(msisdn[1:]):012x}"[-12:])
    monkeypatch.setattr("services.fhir.edge.pseudonyms", lambda _data_dir: names)
    (ours,) = [change.record for change in Site(site).changes(Cursor(), 9)]
    assert isinstance(ours, Screening)
    result_at(
        hub,
        siaya,
        model_at(hub, sha256=ours.eyes[0].model.sha256),
        ("left", "referable"),
        ("right", "normal"),
        ref=number,
        patient_key=bytes.fromhex(names.patient(PATIENT)),
    )
    (theirs,) = told(hub)
    known = {(kind, value) for kind, value, _ in resources(theirs, Names("urn:jicho"))}
    assert known == {(kind, value) for kind, value, _ in resources(replace(ours, consent=None), Names("urn:jicho"))}
