"""A health worker opens a screening and gets the code that goes with the photographs."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Choice, Confirm, Number, Phone
from services.screening.cases import open_screening
from services.store.clock import now_ms

CONSENT = "2026-11"
OLDEST = 1900


def open_new(caller: Caller) -> Flow:
    """Sex, year of birth, phone, consent, urgency, code. The patient's answers are the worker's to type."""
    sex = yield Choice("ask-sex", keys=("female", "male"))
    born = yield Number("ask-birth-year", low=OLDEST, high=datetime.fromtimestamp(now_ms() / 1000, UTC).year)
    phone = yield Phone("ask-patient-phone", optional=True)
    language = yield Choice("ask-patient-language", keys=("sw", "luo", "en"), labels="language")
    if not (yield Confirm("ask-consent")):
        return Tell("consent-declined")
    # Asked after consent: it is about the patient's health, and what is declined is not recorded.
    urgent = yield Confirm("ask-urgent")
    opened = yield Do(
        open_screening,
        worker=caller.msisdn,
        sex=sex,
        birth_year=born,
        phone=phone,
        language=language,
        consent_version=CONSENT,
        channel=caller.channel,
        priority="urgent" if urgent else "routine",
    )
    if not opened["code"]:
        return Tell("screening-refused")
    return Tell("screening-opened-urgent" if urgent else "screening-opened", {"code": opened["code"]}, private=True)
