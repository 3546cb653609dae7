"""A health worker asks somebody fourteen questions; the answer, whether a blood-sugar test is advised, comes later.

Every question needs its answer: the model has never seen a blank, and a guessed "no" would speak for health. Who cannot
say stops here, and the risk points, which need no symptoms, decide alone.
"""

from __future__ import annotations

from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Confirm, Number
from services.screening.symptoms import OLDEST, SYMPTOMS, YOUNGEST, record_symptoms

CONSENT = "2026-11"


def symptom_questions(caller: Caller) -> Flow:
    """Consent, age, a yes or no to each symptom. Sex is not asked: see the model's card."""
    if not (yield Confirm("ask-symptoms-consent")):
        return Tell("consent-declined")
    age = yield Number("ask-symptoms-age", low=YOUNGEST, high=OLDEST)
    present = []
    for symptom in SYMPTOMS:
        if (yield Confirm(f"ask-symptom-{symptom}")):
            present.append(symptom)
    recorded = yield Do(
        record_symptoms,
        msisdn=caller.msisdn,
        age=age,
        symptoms=present,
        consent_version=CONSENT,
        channel=caller.channel,
    )
    if recorded["number"] is None:
        return Tell("screening-refused")
    return Tell("symptoms-recorded", {"number": recorded["number"]}, private=True)
