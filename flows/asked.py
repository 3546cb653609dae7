"""What the clinic asks unasked, by a message or by the call in its place: who asks comes first."""

from __future__ import annotations

from flows.conversation import Caller, Do, Flow, Tell
from flows.follow_up import invited
from flows.referral import attended, visit
from services.channels.base import Kind
from services.screening.follow_up import record_invited
from services.screening.referral import record_reached
from services.settings import current


def visit_asked(caller: Caller) -> Flow:
    """Which of the visits that are waited for was made? Several patients share this number."""
    yield _from_us(caller)
    yield Tell("visit-asked")
    return (yield from visit(caller))


def attended_asked(caller: Caller, referral: int) -> Flow:
    """Did you go?"""
    if caller.channel == Kind.VOICE:
        yield Do(record_reached, referral_id=referral)
    yield _from_us(caller)
    return (yield from attended(caller, referral))


def invited_asked(caller: Caller, follow_up: int) -> Flow:
    """Will you come again?"""
    if caller.channel == Kind.VOICE:
        yield Do(record_invited, follow_up_id=follow_up)
    yield _from_us(caller)
    return (yield from invited(follow_up))


def _from_us(caller: Caller) -> Tell:
    """A message says how to end them too."""
    return Tell("call-clinic" if caller.channel == Kind.VOICE else "stop-hint", {"clinic": current().clinic})
