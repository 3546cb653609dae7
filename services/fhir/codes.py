"""Codes of other people's systems, each with where it was looked up, and the few of our own.

- LOINC 71490-7 is the **left** and 71491-5 the **right** eye's "Diabetic retinopathy severity level by Ophthalmoscopy",
  with the answers of LL2117-1, LA18643-9 (none) to LA18648-8 (proliferative): loinc.org/LL2117-1, version 2.80.
- LOINC 104212-6 "Views screening for diabetic retinopathy of Eyes" is the report. 105914-6 "… Autonomous artificial
  intelligence" is not used: LOINC keeps it for software that the FDA has cleared.
- SNOMED CT 5597008 and 58443009 are the retina of the right and the left eye: HL7's Ophthalmology Retinal guide,
  value set body-site-eye. 3457005 is "Patient referral": FHIR, value set referral-type.
- AIAST "Artificial Intelligence asserted", in `meta.security`, and the device type "Artificial-Intelligence":
  HL7's AI Transparency on FHIR (R4, at ballot in January 2026), which takes AIAST from HL7's v3-ObservationValue.
- The reason why a value is absent: terminology.hl7.org/CodeSystem/data-absent-reason; LOINC 59284-0 "Consent Document":
  FHIR R4, value set consent-category.
- The ICDR scale: Wilkinson et al. 2003, Ophthalmology 110:1677.
"""

from __future__ import annotations

from typing import Any

Concept = dict[str, Any]

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_AI = "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIdeviceTypeCS"


def coding(system: str, code: str, display: str) -> dict[str, str]:
    """One code of a system."""
    return {"system": system, "code": code, "display": display}


def concept(*codings: dict[str, str], text: str = "") -> Concept:
    """A CodeableConcept: codings that mean the same, and words."""
    return {**({"coding": list(codings)} if codings else {}), **({"text": text} if text else {})}


AI_ASSERTED = coding(f"{_HL7}/v3-ObservationValue", "AIAST", "Artificial Intelligence asserted")
AI_DEVICE = concept(coding(_AI, "Artificial-Intelligence", "All kinds of Artificial Intelligence"))

REPORT = concept(coding(LOINC, "104212-6", "Views screening for diabetic retinopathy of Eyes"))
SEVERITY = {
    "left": concept(coding(LOINC, "71490-7", "Left eye Diabetic retinopathy severity level by Ophthalmoscopy")),
    "right": concept(coding(LOINC, "71491-5", "Right eye Diabetic retinopathy severity level by Ophthalmoscopy")),
}
RETINA = {
    "left": concept(coding(SNOMED, "58443009", "Retina of left eye")),
    "right": concept(coding(SNOMED, "5597008", "Retina of right eye")),
}
IMAGING = concept(coding(f"{_HL7}/observation-category", "imaging", "Imaging"))
GRADES = (
    concept(coding(LOINC, "LA18643-9", "No apparent retinopathy")),
    concept(coding(LOINC, "LA18644-7", "Mild non-proliferative retinopathy")),
    concept(coding(LOINC, "LA18645-4", "Moderate non-proliferative retinopathy")),
    concept(coding(LOINC, "LA18646-2", "Severe non-proliferative retinopathy")),
    concept(coding(LOINC, "LA18648-8", "Proliferative retinopathy")),
)
"""By ICDR grade."""

REFERRAL = concept(coding(SNOMED, "3457005", "Patient referral"), text="Referral to an eye clinic")
CONSENT_SCOPE = concept(coding(f"{_HL7}/consentscope", "patient-privacy", "Privacy Consent"))
CONSENT_CATEGORY = concept(coding(LOINC, "59284-0", "Consent Document"))
UNKNOWN = coding(f"{_HL7}/data-absent-reason", "unknown", "Unknown")

FINDINGS = {
    "referable": "Referable: ICDR grade 2 or worse, or suspected macular oedema",
    "not-referable": "Not referable: ICDR grade 0 or 1, no macular oedema suspected",
}
"""The model's words are of our own system: it tells two groups of grades apart, not five grades."""
ABSENT = {
    "doubtful": "The model was not certain enough",
    "ungradable": "The photograph could not be graded",
}
OUTCOMES = {
    "refer": "Refer to an eye clinic",
    "rescreen": "No referable signs: screen again in 12 months",
    "retake": "Take the photographs again",
}
MEASURES = {
    "probability": "Probability of referable retinopathy",
    "threshold": "Probability from which an eye is referable",
    "oedema-probability": "Probability of macular oedema",
    "oedema-threshold": "Probability from which macular oedema is suspected",
    "quality": "Quality of the photograph, 0 to 1",
}
OEDEMA = "Macular oedema suspected"
