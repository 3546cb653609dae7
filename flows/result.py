"""The result behind a code: read on a screen, or heard in a call."""

from __future__ import annotations

from flows.conversation import Caller, Do, Flow, Tell
from flows.questions import Choice, Code
from services.screening.cases import finish_with_one_eye, request_call, result_for
from services.settings import current

_TRIES = 3


def result(caller: Caller) -> Flow:
    """Asks for the code, and says what was found and what to do."""
    for _ in range(_TRIES):
        code = yield Code("ask-result-code")
        found = yield Do(result_for, undoable=True, code=code, msisdn=caller.msisdn)
        if found["state"] == "ready":
            verdict = Tell(f"result-{found['outcome']}", {"place": current().referral_place}, private=True)
            return (yield from _until_heard(verdict)) if caller.channel == "voice" else verdict
        if found["state"] != "unknown":
            return Tell(f"result-{found['state']}")
        yield Tell("code-unknown")
    return Tell("code-help")


def call_me(caller: Caller) -> Flow:
    """Asks for the code, and has the result read out by a call to the number that asks."""
    for _ in range(_TRIES):
        code = yield Code("ask-result-code")
        found = yield Do(request_call, code=code, msisdn=caller.msisdn)
        if found["state"] != "unknown":
            return Tell(f"call-{found['state']}")
        yield Tell("code-unknown")
    return Tell("code-help")


def finish(caller: Caller) -> Flow:
    """The worker says that only one eye can be photographed."""
    for _ in range(_TRIES):
        code = yield Code("ask-finish-code")
        found = yield Do(finish_with_one_eye, code=code, worker=caller.msisdn)
        if found["state"] != "unknown":
            return Tell(f"finish-{found['state']}")
        yield Tell("code-unknown")
    return Tell("code-help")


def _until_heard(verdict: Tell) -> Flow:
    """Says it again for as long as the listener presses 1."""
    while True:
        yield verdict
        if (yield Choice("ask-again", keys=("repeat", "end"))) == "end":
            return Tell("goodbye")
