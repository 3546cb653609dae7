"""A consent is taken back: by the patient, or for her by a health worker; and what else a number may decide."""

from __future__ import annotations

from flows.by_code import by_code
from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Choice, Code, Confirm
from services.channels.base import Kind
from services.screening.people import opt_in_to, opt_out_of
from services.screening.withdrawal import erase_risk, find_for_withdrawal, withdraw_consent


def my_data(caller: Caller) -> Flow:
    """What a person can decide about what is kept of her and whether she is called."""
    wish = yield Choice("ask-my-data", keys=("screening", "risk", "calls"), labels="menu-data")
    if wish == "screening":
        return (yield from withdraw(caller))
    if wish == "risk":
        if not (yield Confirm("ask-erase-risk")):
            return Tell("withdraw-kept")
        yield Do(erase_risk, msisdn=caller.msisdn)
        return Tell("risk-erased")
    wanted = yield Confirm("ask-calls")
    yield Do(opt_in_to if wanted else opt_out_of, undoable=True, msisdn=caller.msisdn, kind=Kind.VOICE.value)
    return Tell("calls-on" if wanted else "calls-off")


def withdraw(caller: Caller) -> Flow:
    """Asks for the code, says what will be erased, and erases it when that is confirmed."""
    found = yield from by_code(Code("ask-withdraw-code", secret=True), find_for_withdrawal, msisdn=caller.msisdn)
    if found is None:
        return Tell("code-help")
    if found["state"] != "known":
        return Tell(f"withdraw-{found['state']}")
    code = found["code"]
    if not (yield Confirm("ask-withdraw", {"code": code})):
        return Tell("withdraw-kept")
    done = yield Do(
        withdraw_consent,
        code=code,
        msisdn=caller.msisdn,
        by="worker" if caller.worker else "patient",
        channel=caller.channel,
    )
    yield Tell(f"withdraw-{done['state']}")
    return Tell("withdraw-stays") if done["state"] == "done" else Tell("goodbye")
