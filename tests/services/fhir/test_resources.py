"""Records become resources that `fhir.resources` accepts and that say what was found, no more and no less."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fhir import codes
from services.fhir.bundle import deletions, transaction
from services.fhir.records import (
    Consent,
    Eye,
    Facility,
    Grade,
    Model,
    Referral,
    Screening,
    Verdict,
    Withdrawn,
)
from services.fhir.resources import Names, resources

NAMES = Names("urn:jicho")
MODEL = Model("jicho-dr", "0.2.0", "full", "ab" * 32, 0.17, 0.4)
LEFT = Eye("left", "referable", MODEL, 0.91, probability=0.83, oedema_probability=0.1, read_at=1_750_000_000_000)
RIGHT = Eye("right", "not-referable", MODEL, 0.88, probability=0.05, oedema_probability=0.02)
CASE = Screening(
    site="7",
    number=42,
    clinic="Siaya Health Centre",
    programme="dr",
    sex="female",
    birth_year=1961,
    outcome="refer",
    urgent=False,
    decided_at=1_750_000_100_000,
    eyes=(LEFT, RIGHT),
    patient="a1b2c3d4e5f6",
    consent=Consent("2026-01", 1_750_000_000_000),
    referral=Referral("routine", "active", 1_750_000_100_000, 1_752_592_100_000, Facility("7-3", "Eye Unit", "Siaya")),
)
FINAL = replace(CASE, verdict=Verdict("5", "refer", 1_750_100_000_000, {"left": Grade(3, True), "right": Grade(None)}))


def made(record: Screening) -> dict[str, dict[str, Any]]:
    return {f"{kind}/{value}": resource for kind, value, resource in resources(record, NAMES)}


def test_a_machine_s_result_is_preliminary_and_labelled() -> None:
    found = made(CASE)
    report = found["report/7-42"]
    assert (report["status"], report["meta"]["security"]) == ("preliminary", [codes.AI_ASSERTED])
    assert report["conclusion"] == (
        "Refer to an eye clinic. This is screening, not a diagnosis. "
        "Software read the photographs; no person has confirmed it."
    )
    assert report["conclusionCode"][0]["coding"][0]["code"] == "refer"
    assert report["issued"] == "2025-06-15T15:08:20.000Z"
    assert "resultsInterpreter" not in report
    left = found["finding/7-42-left"]
    assert (left["status"], left["meta"]["security"]) == ("preliminary", [codes.AI_ASSERTED])
    assert left["valueCodeableConcept"]["coding"][0] == {
        "system": "urn:jicho:finding-code",
        "code": "referable",
        "display": "Referable: ICDR grade 2 or worse, or suspected macular oedema",
    }
    assert measures(left) == {
        "probability": 0.83,
        "threshold": 0.17,
        "oedema-probability": 0.1,
        "oedema-threshold": 0.4,
        "quality": 0.91,
    }
    assert left["effectiveDateTime"] == "2025-06-15T15:06:40.000Z"
    assert found["finding/7-42-right"]["effectiveDateTime"] == report["effectiveDateTime"], "its own time is not known"


def test_left_is_left_and_right_is_right() -> None:
    found = made(FINAL)
    for kind in ("finding", "grade"):
        left, right = found[f"{kind}/7-42-left"], found[f"{kind}/7-42-right"]
        # loinc.org/LL2117-1: "71490-7 Left eye …", "71491-5 Right eye …"
        assert [each["code"]["coding"][0]["code"] for each in (left, right)] == ["71490-7", "71491-5"]
        assert [each["bodySite"]["coding"][0]["code"] for each in (left, right)] == ["58443009", "5597008"]


def test_a_model_is_known_by_its_file() -> None:
    device = made(CASE)["model/" + "ab" * 32]
    assert device["type"]["coding"][0]["code"] == "Artificial-Intelligence"
    assert device["version"] == [{"value": "0.2.0"}]
    assert device["deviceName"] == [{"name": "jicho-dr (full)", "type": "model-name"}]
    assert len([name for name in made(CASE) if name.startswith("model/")]) == 1


@pytest.mark.parametrize(
    ("finding", "reasons", "words"),
    [
        ("ungradable", ("quality-blurred", "quality-dark"), "The photograph could not be graded (blurred, dark)"),
        ("doubtful", (), "The model was not certain enough"),
    ],
)
def test_no_finding_says_why(finding: Any, reasons: tuple[str, ...], words: str) -> None:
    eye = replace(LEFT, finding=finding, quality_reasons=reasons, probability=None, oedema_probability=None)
    said = made(replace(CASE, eyes=(eye,)))["finding/7-42-left"]
    assert "valueCodeableConcept" not in said
    assert said["dataAbsentReason"]["text"] == words
    assert [each["code"] for each in said["dataAbsentReason"]["coding"]] == ["unknown", finding]
    assert set(measures(said)) == {"threshold", "quality"}


def test_a_verdict_makes_it_final_beside_the_machine_s_word() -> None:
    found = made(FINAL)
    report = found["report/7-42"]
    assert (report["status"], report["issued"]) == ("final", "2025-06-16T18:53:20.000Z")
    assert report["conclusion"].endswith("Confirmed.")
    assert report["resultsInterpreter"] == [
        {"type": "Practitioner", "identifier": {"system": "urn:jicho:reviewer", "value": "5"}}
    ]
    assert report["meta"]["security"] == [codes.AI_ASSERTED]
    assert len(report["result"]) == 4
    left, right = found["grade/7-42-left"], found["grade/7-42-right"]
    assert left["valueCodeableConcept"]["coding"][0]["code"] == "LA18646-2"
    assert left["component"][0]["valueBoolean"] is True
    assert right["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "meta" not in left
    assert found["finding/7-42-left"]["valueCodeableConcept"] == made(CASE)["finding/7-42-left"]["valueCodeableConcept"]
    assert found["finding/7-42-left"]["status"] == "final"


def test_an_overruled_machine_calls_its_referral_off() -> None:
    overruled = replace(CASE, verdict=Verdict("5", "rescreen", 1_750_100_000_000, {"left": Grade(0)}))
    found = made(overruled)
    assert found["report/7-42"]["conclusionCode"][0]["coding"][0]["code"] == "rescreen"
    assert "A reviewer overruled the software." in found["report/7-42"]["conclusion"]
    assert found["referral/7-42"]["status"] == "revoked"
    assert "meta" not in found["referral/7-42"]


def test_a_referral_says_where_by_when_and_how_soon() -> None:
    asked = made(replace(CASE, urgent=True, referral=replace(CASE.referral, urgency="urgent")))  # type: ignore[type-var]
    request = asked["referral/7-42"]
    assert (request["status"], request["intent"], request["priority"]) == ("active", "order", "urgent")
    assert request["occurrencePeriod"] == {"end": "2025-07-15T15:08:20.000Z"}
    assert request["performer"] == [NAMES.reference("facility", "7-3")]
    assert asked["facility/7-3"]["name"] == "Eye Unit"
    assert asked["facility/7-3"]["address"] == [{"city": "Siaya"}]
    assert asked["report/7-42"]["conclusion"].endswith("The patient said that she had suddenly lost sight.")


def test_a_patient_is_a_pseudonym_a_year_and_a_gender() -> None:
    assert made(CASE)["patient/a1b2c3d4e5f6"] == {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:jicho:patient", "value": "a1b2c3d4e5f6"}],
        "gender": "female",
        "birthDate": "1961",
    }
    unknown = made(replace(CASE, patient="", sex="unknown", birth_year=0))["patient/7-42"]
    assert (unknown["gender"], "birthDate" in unknown) == ("unknown", False)


def test_a_consent_names_its_text() -> None:
    consent = made(CASE)["consent/7-42"]
    assert consent["policyRule"]["coding"][0]["code"] == "2026-01"
    assert consent["provision"]["data"][0]["reference"] == NAMES.reference("report", "7-42")


def test_a_bundle_holds_each_thing_once_and_all_it_points_at() -> None:
    second = replace(CASE, number=43, outcome="rescreen", referral=None, eyes=())
    bundle = transaction([CASE, second, Withdrawn("7", 44)], NAMES)
    get_fhir_model_class("Bundle").model_validate(bundle)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "Organization": 2,
        "Patient": 1,
        "Device": 1,
        "Consent": 2,
        "Observation": 2,
        "DiagnosticReport": 2,
        "ServiceRequest": 1,
    }
    requests = {entry["request"]["method"]: entry["request"] for entry in bundle["entry"]}
    assert requests["POST"] == {
        "method": "POST",
        "url": "Device",
        "ifNoneExist": "identifier=urn:jicho:model%7C" + "ab" * 32,
    }
    assert requests["PUT"]["url"] == "DiagnosticReport?identifier=urn:jicho:report%7C7-43"
    pointed = set(references(bundle))
    assert pointed
    assert pointed <= {entry["fullUrl"] for entry in bundle["entry"]}


def test_what_is_withdrawn_is_deleted_from_the_outside_in() -> None:
    bundle = deletions([CASE, Withdrawn("7", 44)], NAMES)
    assert bundle is not None
    get_fhir_model_class("Bundle").model_validate(bundle)
    assert [entry["request"]["url"].split("?")[0] for entry in bundle["entry"]] == [
        "Consent",
        "ServiceRequest",
        "DiagnosticReport",
        *["Observation"] * 4,
        "Patient",
    ]
    assert {entry["request"]["method"] for entry in bundle["entry"]} == {"DELETE"}
    assert deletions([CASE], NAMES) is None


def test_another_namespace_shares_nothing() -> None:
    other = Names("https://health.example.org/eyes")
    assert other.identifier("patient", "x")["system"] == "https://health.example.org/eyes/patient"
    assert other.urn("patient", "x") != NAMES.urn("patient", "x") == Names("urn:jicho").urn("patient", "x")


TIMES = st.integers(1_600_000_000_000, 2_000_000_000_000)
SHARES = st.floats(0, 1, allow_nan=False)
EYES = st.builds(
    Eye,
    eye=st.sampled_from(["left", "right"]),
    finding=st.sampled_from(["referable", "not-referable", "doubtful", "ungradable"]),
    model=st.builds(
        Model,
        name=st.just("jicho-dr"),
        version=st.sampled_from(["0.1.0", "0.2.0"]),
        tier=st.sampled_from(["full", "light"]),
        sha256=st.sampled_from(["aa" * 32, "bb" * 32]),
        threshold=SHARES,
        oedema_threshold=st.none() | SHARES,
    ),
    quality=SHARES,
    quality_reasons=st.lists(st.sampled_from(["quality-dark", "quality-blurred"]), max_size=2).map(tuple),
    probability=st.none() | SHARES,
    oedema_probability=st.none() | SHARES,
    read_at=st.none() | TIMES,
)
CASES = st.builds(
    Screening,
    site=st.sampled_from(["1", "own-0123456789ab"]),
    number=st.integers(1, 10**9),
    clinic=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip),
    programme=st.just("dr"),
    sex=st.sampled_from(["female", "male", "unknown"]),
    birth_year=st.sampled_from([0, 1900, 1961, 2026]),
    outcome=st.sampled_from(["refer", "rescreen"]),
    urgent=st.booleans(),
    decided_at=TIMES,
    eyes=st.lists(EYES, max_size=2, unique_by=lambda eye: eye.eye).map(tuple),
    patient=st.sampled_from(["", "a1b2c3d4e5f6"]),
    consent=st.none() | st.builds(Consent, st.just("2026-01"), TIMES),
    referral=st.none()
    | st.builds(
        Referral,
        urgency=st.sampled_from(["routine", "urgent"]),
        state=st.sampled_from(["active", "completed", "unknown"]),
        authored_at=TIMES,
        due_at=st.none() | TIMES,
        facility=st.none() | st.just(Facility("1-1", "Eye Unit", "Ng'iya")),
    ),
    verdict=st.none()
    | st.builds(
        Verdict,
        reviewer=st.just("5"),
        outcome=st.sampled_from(["refer", "rescreen", "retake"]),
        at=TIMES,
        eyes=st.dictionaries(
            st.sampled_from(["left", "right"]), st.builds(Grade, st.none() | st.integers(0, 4), st.booleans())
        ),
    ),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(CASES, min_size=1, max_size=3))
def test_whatever_is_recorded_is_valid_and_always_the_same(records: list[Screening]) -> None:
    bundle = transaction(records, NAMES)
    get_fhir_model_class("Bundle").model_validate(bundle)
    for entry in bundle["entry"]:
        get_fhir_model_class(entry["resource"]["resourceType"]).model_validate(entry["resource"])
    assert transaction(records, NAMES) == json.loads(json.dumps(bundle)) == bundle
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    assert set(references(bundle)) <= urls


def test_every_word_a_record_can_hold_has_its_code() -> None:
    from services.fhir import records

    hints = {name: get_args(kind) for name, kind in vars(records).items() if get_args(kind)}
    assert set(codes.OUTCOMES) == {*hints["Outcome"], "retake"}
    assert set(codes.FINDINGS) | set(codes.ABSENT) == {"referable", "not-referable", "doubtful", "ungradable"}
    assert set(codes.SEVERITY) == set(codes.RETINA) == set(hints["EyeName"])
    assert len(codes.GRADES) == 5


def measures(observation: dict[str, Any]) -> dict[str, float]:
    return {each["code"]["coding"][0]["code"]: each["valueQuantity"]["value"] for each in observation["component"]}


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for each in value for found in references(each)]
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [found for each in value.values() for found in references(each)]
    return []
