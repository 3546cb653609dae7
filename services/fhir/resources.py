"""Records as FHIR R4 resources: pure, the same record always gives the same resources.

Read by other systems long after: what a machine found is labelled so and preliminary, and becomes final only by a
person's verdict, which is an Observation of its own beside the machine's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.fhir import codes
from services.fhir.codes import coding, concept
from services.fhir.records import Eye, EyeName, Facility, Grade, Model, Screening, Verdict

Resource = dict[str, Any]
_URN = uuid.UUID("6f1a1c5e-7c2b-5e0e-9d0c-2d6f1b1f8a11")


@dataclass(frozen=True)
class Names:
    """Identifier systems under one namespace, a URI, so that two programmes can share one server."""

    namespace: str

    def system(self, kind: str) -> str:
        separator = ":" if self.namespace.startswith("urn:") else "/"
        return f"{self.namespace}{separator}{kind}"

    def identifier(self, kind: str, value: str) -> dict[str, str]:
        return {"system": self.system(kind), "value": value}

    def urn(self, kind: str, value: str) -> str:
        """What stands for a resource inside a bundle; the same wherever it is made."""
        return f"urn:uuid:{uuid.uuid5(_URN, f'{self.system(kind)}|{value}')}"

    def reference(self, kind: str, value: str) -> dict[str, str]:
        return {"reference": self.urn(kind, value)}

    def ours(self, kind: str, code: str, display: str) -> dict[str, Any]:
        """A concept of our own."""
        return concept(coding(self.system(kind), code, display))


def resources(record: Screening, names: Names) -> Iterator[tuple[str, str, Resource]]:
    """`(kind, value, resource)` of everything there is to say of a screening; kind and value are its identifier."""
    yield "site", record.site, _organization(names, "site", record.site, record.clinic)
    yield "patient", _patient_key(record), _patient(record, names)
    for model in dict.fromkeys(eye.model for eye in record.eyes):
        yield "model", model.sha256, _device(model, names)
    if record.consent is not None:
        yield "consent", record.key, _consent(record, names)
    for eye in record.eyes:
        yield "finding", f"{record.key}-{eye.eye}", _finding(record, eye, names)
    if record.verdict is not None:
        for name, grade in record.verdict.eyes.items():
            yield "grade", f"{record.key}-{name}", _grade(record, record.verdict, name, grade, names)
    yield "report", record.key, _report(record, names)
    if record.referral is not None:
        facility = record.referral.facility
        if facility is not None:
            yield "facility", facility.key, _organization(names, "facility", facility.key, facility.name, facility)
        yield "referral", record.key, _referral(record, names)


def _patient_key(record: Screening) -> str:
    return record.patient or record.key


def _organization(names: Names, kind: str, key: str, name: str, facility: Facility | None = None) -> Resource:
    address = {"address": [{"city": facility.town}]} if facility is not None else {}
    return {"resourceType": "Organization", "identifier": [names.identifier(kind, key)], "name": name, **address}


def _patient(record: Screening, names: Names) -> Resource:
    gender = record.sex if record.sex in ("female", "male") else "unknown"
    born = {"birthDate": f"{record.birth_year:04}"} if record.birth_year else {}
    identifier = names.identifier("patient", _patient_key(record))
    return {"resourceType": "Patient", "identifier": [identifier], "gender": gender, **born}


def _device(model: Model, names: Names) -> Resource:
    return {
        "resourceType": "Device",
        "identifier": [names.identifier("model", model.sha256)],
        "status": "active",
        "deviceName": [{"name": f"{model.name} ({model.tier})", "type": "model-name"}],
        "modelNumber": model.tier,
        "type": codes.AI_DEVICE,
        "version": [{"value": model.version}],
    }


def _consent(record: Screening, names: Names) -> Resource:
    assert record.consent is not None
    return {
        "resourceType": "Consent",
        "identifier": [names.identifier("consent", record.key)],
        "status": "active",
        "scope": codes.CONSENT_SCOPE,
        "category": [codes.CONSENT_CATEGORY],
        "patient": names.reference("patient", _patient_key(record)),
        "dateTime": _instant(record.consent.given_at),
        "organization": [names.reference("site", record.site)],
        "policyRule": names.ours("consent-text", record.consent.version, f"Consent text {record.consent.version}"),
        "provision": {"data": [{"meaning": "related", "reference": names.reference("report", record.key)}]},
    }


def _finding(record: Screening, eye: Eye, names: Names) -> Resource:
    value: dict[str, Any]
    if eye.finding in codes.FINDINGS:
        value = {"valueCodeableConcept": names.ours("finding-code", eye.finding, codes.FINDINGS[eye.finding])}
    else:
        why = coding(names.system("finding-code"), eye.finding, codes.ABSENT[eye.finding])
        value = {"dataAbsentReason": concept(codes.UNKNOWN, why, text=_words(codes.ABSENT[eye.finding], eye))}
    measured = {
        "probability": eye.probability,
        "threshold": eye.model.threshold,
        "oedema-probability": eye.oedema_probability,
        "oedema-threshold": eye.model.oedema_threshold if eye.oedema_probability is not None else None,
        "quality": eye.quality,
    }
    return {
        "resourceType": "Observation",
        "meta": {"security": [codes.AI_ASSERTED]},
        "identifier": [names.identifier("finding", f"{record.key}-{eye.eye}")],
        # Its own verdict is an observation beside it: what the machine said stays as it said it.
        "status": "preliminary" if record.verdict is None else "final",
        "category": [codes.IMAGING],
        "code": codes.SEVERITY[eye.eye],
        "subject": names.reference("patient", _patient_key(record)),
        "effectiveDateTime": _instant(eye.read_at or record.decided_at),
        "performer": [names.reference("site", record.site)],
        **value,
        "bodySite": codes.RETINA[eye.eye],
        "method": {"text": "Colour photograph of the fundus, read by software"},
        "device": names.reference("model", eye.model.sha256),
        "component": [_measure(name, number, names) for name, number in measured.items() if number is not None],
    }


def _words(reason: str, eye: Eye) -> str:
    said = ", ".join(each.removeprefix("quality-") for each in eye.quality_reasons)
    return f"{reason} ({said})" if said else reason


def _measure(name: str, number: float, names: Names) -> dict[str, Any]:
    quantity = {"value": round(number, 4), "system": codes.UCUM, "code": "1"}
    return {"code": names.ours("measure", name, codes.MEASURES[name]), "valueQuantity": quantity}


def _grade(record: Screening, verdict: Verdict, eye: EyeName, found: Grade, names: Names) -> Resource:
    value: dict[str, Any] = {"dataAbsentReason": concept(codes.UNKNOWN, text=codes.ABSENT["ungradable"])}
    if found.grade is not None:
        value = {"valueCodeableConcept": codes.GRADES[found.grade]}
    oedema = {"code": names.ours("measure", "oedema", codes.OEDEMA), "valueBoolean": found.oedema}
    return {
        "resourceType": "Observation",
        "identifier": [names.identifier("grade", f"{record.key}-{eye}")],
        "status": "final",
        "category": [codes.IMAGING],
        "code": codes.SEVERITY[eye],
        "subject": names.reference("patient", _patient_key(record)),
        "effectiveDateTime": _instant(verdict.at),
        "performer": [_reviewer(verdict, names)],
        **value,
        "bodySite": codes.RETINA[eye],
        "method": {"text": "Colour photograph of the fundus, graded by a person"},
        "component": [oedema],
    }


def _report(record: Screening, names: Names) -> Resource:
    verdict = record.verdict
    outcome = record.outcome if verdict is None else verdict.outcome
    results = [names.reference("finding", f"{record.key}-{eye.eye}") for eye in record.eyes]
    results += [names.reference("grade", f"{record.key}-{name}") for name in (verdict.eyes if verdict else ())]
    return {
        "resourceType": "DiagnosticReport",
        "meta": {"security": [codes.AI_ASSERTED]},  # after a verdict, too: some of what it rests on is a machine's
        "identifier": [names.identifier("report", record.key)],
        "status": "preliminary" if verdict is None else "final",
        "category": [names.ours("programme", record.programme, f"Screening programme {record.programme}")],
        "code": codes.REPORT,
        "subject": names.reference("patient", _patient_key(record)),
        "effectiveDateTime": _instant(record.decided_at),
        "issued": _instant(record.decided_at if verdict is None else verdict.at),
        "performer": [names.reference("site", record.site)],
        **({"resultsInterpreter": [_reviewer(verdict, names)]} if verdict else {}),
        **({"result": results} if results else {}),
        "conclusion": _conclusion(record, outcome),
        "conclusionCode": [names.ours("outcome", outcome, codes.OUTCOMES[outcome])],
    }


def _conclusion(record: Screening, outcome: str) -> str:
    by = "Software read the photographs; no person has confirmed it." if record.verdict is None else "Confirmed."
    if record.verdict is not None and record.verdict.outcome != record.outcome:
        by = "A reviewer overruled the software."
    lost = " The patient said that she had suddenly lost sight." if record.urgent else ""
    return f"{codes.OUTCOMES[outcome]}. This is screening, not a diagnosis. {by}{lost}"


def _referral(record: Screening, names: Names) -> Resource:
    referral = record.referral
    assert referral is not None
    called_off = record.verdict is not None and record.verdict.outcome != "refer" and referral.state == "active"
    due = {"occurrencePeriod": {"end": _instant(referral.due_at)}} if referral.due_at is not None else {}
    facility = referral.facility
    return {
        "resourceType": "ServiceRequest",
        **({"meta": {"security": [codes.AI_ASSERTED]}} if record.verdict is None else {}),
        "identifier": [names.identifier("referral", record.key)],
        "status": "revoked" if called_off else referral.state,
        "intent": "order",
        "priority": referral.urgency,
        "code": codes.REFERRAL,
        "subject": names.reference("patient", _patient_key(record)),
        **due,
        "authoredOn": _instant(referral.authored_at),
        "requester": names.reference("site", record.site),
        **({"performer": [names.reference("facility", facility.key)]} if facility is not None else {}),
        "reasonReference": [names.reference("report", record.key)],
    }


def _reviewer(verdict: Verdict, names: Names) -> dict[str, Any]:
    """By number only: who that is, the hub knows."""
    return {"type": "Practitioner", "identifier": names.identifier("reviewer", verdict.reviewer)}


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
