"""A health worker shows that it is she who holds the phone, where the clinic asks for a PIN."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from flows.conversation import Caller, Do, Tell, Yielded
from flows.questions import Pin
from services.screening.pins import check_pin, choose_pin, pin_state

_TRIES = 3


def identified(caller: Caller) -> Generator[Yielded, Any, Tell | None]:
    """None once it is she; else what to say instead. At the first use she chooses her PIN, twice the same."""
    state = (yield Do(pin_state, undoable=True, worker=caller.msisdn))["state"]
    if state == "off":
        return None
    if state == "locked":
        return Tell("pin-locked")
    if state == "unset":
        return (yield from _chosen(caller))
    for _ in range(_TRIES):
        typed = yield Pin("ask-pin", owner=caller.msisdn)
        found = (yield Do(check_pin, worker=caller.msisdn, pin=typed))["state"]
        if found == "right":
            return None
        if found == "locked":
            return Tell("pin-locked")
        yield Tell("pin-wrong")
    return Tell("pin-help")


def _chosen(caller: Caller) -> Generator[Yielded, Any, Tell | None]:
    while True:
        first = yield Pin("ask-pin-new", owner=caller.msisdn)
        again = yield Pin("ask-pin-again", owner=caller.msisdn)
        if first == again:
            break
        yield Tell("pin-differs")
    found = yield Do(choose_pin, worker=caller.msisdn, pin=first)
    return None if found["state"] == "right" else Tell("pin-locked")
