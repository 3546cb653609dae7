"""The result behind a code: read on a screen, or heard in a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.by_code import by_code
from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Choice, Code, Confirm
from services.channels.base import Kind
from services.channels.phone_numbers import is_person
from services.screening.cases import finish_with_one_eye, request_call, request_note, result_for
from services.settings import current

_REPEATS = 5
_KEPT = (Kind.SMS, Kind.WHATSAPP)


def result(caller: Caller) -> Flow:
    """Asks for the code, and says what was found and what to do."""
    found = yield from by_code(Code("ask-result-code", secret=True), result_for, msisdn=caller.msisdn)
    if found is None:
        return Tell("code-help")
    if found["state"] != "ready":
        return Tell(f"result-{found['state']}")
    if caller.channel in _KEPT and not caller.worker:
        return (yield from _offer_call(caller, found["code"]))
    verdict = verdict_of(found)
    if caller.channel == Kind.VOICE:
        return (yield from until_heard(*verdict))
    yield from verdict[:-1]
    return verdict[-1]


def read_out(caller: Caller) -> Flow:
    """In the call that we placed, which says first why it rings."""
    yield Tell("call-ready")
    return (yield from result(caller))


def call_me(caller: Caller) -> Flow:
    """Asks for the code, and has the result read out by a call to the number that asks: by this one, if it is one."""
    if caller.channel == Kind.VOICE:
        return (yield from result(caller))
    question = Code("ask-result-code", secret=True)
    if not is_person(caller.msisdn):
        yield question
        return Tell("result-dial", {"ussd": current().ussd_code})
    found = yield from by_code(question, request_call, undoable=False, msisdn=caller.msisdn)
    return Tell(f"call-{found['state']}") if found else Tell("code-help")


def finish(caller: Caller) -> Flow:
    """The worker says that only one eye can be photographed."""
    found = yield from by_code(Code("ask-finish-code"), finish_with_one_eye, undoable=False, worker=caller.msisdn)
    return Tell(f"finish-{found['state']}") if found else Tell("code-help")


def verdict_of(found: Mapping[str, Any]) -> list[Tell]:
    """What was found, by whom if a specialist looked, and where and when to go with it. Who must go today is told of no
    other days."""
    said = [Tell("result-reviewed", private=True)] if found.get("reviewed") else []
    if found["outcome"] == "retake":
        return [*said, Tell("result-retake", {"clinic": current().clinic}, private=True)]
    if found["outcome"] != "refer":
        return [*said, Tell(f"result-{found['outcome']}", private=True)]
    verdict = Tell(
        "result-refer-urgent" if found["urgent"] else "result-refer", {"place": found["place"]}, private=True
    )
    return [*said, verdict] if found["urgent"] else [*said, verdict, *(Tell(day) for day in found["opening"])]


def _offer_call(caller: Caller, code: str) -> Flow:
    # Messages stay on the phone and phones are shared: nothing clinical is written to a patient (clinical rule 6).
    ussd = {"ussd": current().ussd_code}
    can_call, can_listen = is_person(caller.msisdn), caller.channel == Kind.WHATSAPP
    if can_listen:
        keys = ("call", "note", "no") if can_call else ("note", "no")
        wish = yield Choice("ask-result-how", ussd, keys=keys, labels="menu-how")
    elif can_call:
        wish = "call" if (yield Confirm("ask-result-call", ussd)) else "no"
    else:
        return Tell("result-dial", ussd)
    if wish == "no":
        return Tell("goodbye")
    asked = yield Do(request_note if wish == "note" else request_call, code=code, msisdn=caller.msisdn)
    return Tell("code-help" if asked["state"] == "unknown" else f"{wish}-{asked['state']}")


def until_heard(*verdict: Tell) -> Flow:
    """Says it again when the listener presses 1, some times: a line costs by the second."""
    for _ in range(_REPEATS):
        yield from verdict
        if (yield Choice("ask-again", keys=("repeat", "end"))) == "end":
            return Tell("goodbye")
    return Tell("goodbye")
