"""The risk questions: eight answers, and what the published points advise. They never say anything about eyes.

What is measured may be unknown: the points are then a range, and its safe end decides.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from flows.conversation import Caller, Do, Flow, Tell, Yielded
from flows.questions import Choice, Confirm, Number
from flows.result import until_heard
from services.channels.base import Kind
from services.channels.phone_numbers import is_person
from services.screening.findrisc import MOST, is_plausible
from services.screening.risk import newest_risk, record_risk, ring_with_risk
from services.settings import current

CONSENT = "2026-11"
_KEPT = (Kind.SMS, Kind.WHATSAPP)
RANGES: Mapping[str, tuple[int, int]] = {
    "age": (18, 110),  # years; the points are for adults
    "height": (100, 230),  # cm
    "weight": (25, 250),  # kg
    "waist": (50, 200),  # cm; a tape in inches gives less, which is refused
}
_MEASURINGS = 2


def risk_questions(caller: Caller) -> Flow:
    """Consent, then the questions, then the advice: at once, or by a call where a message would stay on the phone."""
    kept = caller.channel in _KEPT and not caller.worker
    if kept and not is_person(caller.msisdn):
        return Tell("risk-dial", {"ussd": current().ussd_code})
    if kept:
        yield Tell("risk-shared-phone", {"ussd": current().ussd_code})
    if not (yield Confirm("ask-risk-consent-worker" if caller.worker else "ask-risk-consent")):
        return Tell("risk-declined")
    if (yield Confirm("ask-risk-diabetes")):
        return Tell("risk-not-for-you", {"clinic": current().clinic})
    answers = yield from _answers()
    recorded = yield Do(
        record_risk,
        msisdn=caller.msisdn,
        worker=caller.worker,
        channel=caller.channel,
        consent_version=CONSENT,
        answers=answers,
    )
    if recorded["category"] is None:
        return Tell("screening-refused")
    if kept:
        return (yield from _offer_call(caller, recorded["assessment"]))
    advice = _advice(recorded)
    if caller.channel == Kind.VOICE:
        return (yield from until_heard(*advice))
    yield _points(recorded)
    yield from advice[:-1]
    return advice[-1]


def risk_answer(caller: Caller) -> Flow:
    """In the call that was asked for: the newest answer of this number, once whoever picked up wants to hear it."""
    found = yield Do(newest_risk, undoable=True, msisdn=caller.msisdn)
    if found["category"] is None or not (yield Confirm("ask-risk-hear")):
        return Tell("goodbye")
    return (yield from until_heard(*_advice(found)))


def _answers() -> Generator[Yielded, Any, dict[str, Any]]:
    """The fields of `services.screening.findrisc.Answers`."""
    age = yield _number("age", optional=False)
    sex = yield Choice("ask-risk-sex", keys=("female", "male"), labels="ask-sex")
    height, weight = yield from _height_and_weight()
    return {
        "age": age,
        "sex": sex,
        "height_cm": height,
        "weight_kg": weight,
        "waist_cm": (yield _number("waist")),
        "active_daily": (yield Confirm("ask-risk-active")),
        "greens_daily": (yield Confirm("ask-risk-greens")),
        "pressure_medicine": (yield Confirm("ask-risk-medicine")),
        "high_glucose": (yield Confirm("ask-risk-glucose")),
        "family": (yield Choice("ask-risk-family", keys=("none", "far", "near"))),
    }


def _height_and_weight() -> Generator[Yielded, Any, tuple[int | None, int | None]]:
    """Both measures, asked again when no body has them; None for what is not known or remains impossible."""
    for _ in range(_MEASURINGS):
        height = yield _number("height")
        if height is None:
            return None, None
        weight = yield _number("weight")
        if weight is None or is_plausible(height, weight):
            return height, weight
        yield Tell("risk-check-measures")
    return None, None


def _number(name: str, *, optional: bool = True) -> Number:
    low, high = RANGES[name]
    return Number(f"ask-risk-{name}", low=low, high=high, optional=optional)


def _points(found: Mapping[str, Any]) -> Tell:
    if found["low"] == found["high"]:
        return Tell("risk-points", {"points": found["high"], "most": MOST}, private=True)
    return Tell("risk-points-range", {"low": found["low"], "high": found["high"], "most": MOST}, private=True)


def _advice(found: Mapping[str, Any]) -> tuple[Tell, ...]:
    """The class, the test, and that no questions look into an eye."""
    test = Tell("risk-test", {"clinic": current().clinic}) if found["test_advised"] else Tell("risk-no-test")
    return Tell(f"risk-{found['category']}", private=True), test, Tell("risk-eyes")


def _offer_call(caller: Caller, assessment: int) -> Flow:
    # Messages stay on the phone and phones are shared: no class of risk is written to a patient (clinical rule 6).
    if not (yield Confirm("ask-risk-call")):
        return Tell("goodbye")
    asked = yield Do(ring_with_risk, msisdn=caller.msisdn, assessment=assessment)
    if asked["state"] != "calling":
        return Tell("risk-dial", {"ussd": current().ussd_code})
    return Tell("call-calling")
