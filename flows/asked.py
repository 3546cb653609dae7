"""What the clinic asks by message, unasked: who asks comes first, and how to end it."""

from __future__ import annotations

from flows.conversation import Caller, Flow, Tell
from flows.follow_up import invited
from flows.referral import attended, visit
from services.settings import current


def visit_asked(caller: Caller) -> Flow:
    """Which of the visits that are waited for was made? Several patients share this number."""
    yield _from_us()
    yield Tell("visit-asked")
    return (yield from visit(caller))


def attended_asked(caller: Caller, referral: int) -> Flow:
    """Did you go?"""
    yield _from_us()
    return (yield from attended(caller, referral))


def invited_asked(caller: Caller, follow_up: int) -> Flow:  # noqa: ARG001 - every flow has its caller
    """Will you come again?"""
    yield _from_us()
    return (yield from invited(follow_up))


def _from_us() -> Tell:
    return Tell("stop-hint", {"clinic": current().clinic})
