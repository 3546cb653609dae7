"""A health worker's own screenings: which still wait for something, and the last ten. Codes and states, no verdicts."""

from __future__ import annotations

from flows.conversation import Caller, Do, Flow, Tell
from flows.identified import identified
from flows.questions import Choice
from services.screening.worklist import pending_of, recent_of


def my_screenings(caller: Caller) -> Flow:
    """Asks for her PIN, where one is asked for, and which list; says one line a screening."""
    refusal = yield from identified(caller)
    if refusal is not None:
        return refusal
    wish = yield Choice("ask-lists", keys=("pending", "recent"), labels="menu-lists")
    if wish == "pending":
        found = yield Do(pending_of, undoable=True, worker=caller.msisdn)
        lines = [
            Tell(
                "pending-line",
                {"code": each["code"], "left": f"eye-state-{each['left']}", "right": f"eye-state-{each['right']}"},
                private=True,
            )
            for each in found["screenings"]
        ]
    else:
        found = yield Do(recent_of, undoable=True, worker=caller.msisdn)
        lines = [Tell(f"recent-{each['state']}", {"code": each["code"]}, private=True) for each in found["screenings"]]
    if not lines:
        return Tell("lists-none")
    yield from lines[:-1]
    return lines[-1]
