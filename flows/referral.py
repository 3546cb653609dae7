"""Did you go? What became of the visit that a screening led to, asked of the patient or told by her health worker."""

from __future__ import annotations

from flows.by_code import by_code
from flows.conversation import Caller, Do, Flow, Tell
from flows.follow_up import invited
from flows.questions import Choice, Code
from services.screening.cases import visit_for
from services.screening.referral import record_answer

_WHY_NOT = ("money", "distance", "afraid", "other")


def visit(caller: Caller) -> Flow:
    """Asks for the code, and then about the visit that is waited for."""
    found = yield from by_code(Code("ask-visit-code", secret=True), visit_for, msisdn=caller.msisdn)
    if found is None:
        return Tell("code-help")
    if found["state"] == "referral":
        return (yield from attended(caller, found["id"]))
    if found["state"] == "follow-up":
        return (yield from invited(found["id"]))
    return Tell(f"visit-{found['state']}")


def attended(caller: Caller, referral: int) -> Flow:
    """Asks whether the patient went where she was referred to, and if she cannot, why. Names neither place nor reason:
    the question may stay on a phone that others read (clinical rule 6)."""
    question = "ask-visit-worker" if caller.worker else "ask-visit"
    answer = yield Choice(question, keys=("yes", "not-yet", "cannot"), labels="answer")
    reason = None
    if answer == "cannot":
        reason = yield Choice("ask-visit-reason", keys=_WHY_NOT, labels="answer")
    recorded = yield Do(
        record_answer,
        referral_id=referral,
        answer=answer,
        reason=reason,
        by="worker" if caller.worker else "patient",
    )
    if recorded["state"] == "closed":
        return Tell("visit-none")
    return Tell("visit-recorded" if caller.worker else f"visit-{answer}")
