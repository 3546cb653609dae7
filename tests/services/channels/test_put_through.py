"""A call that is put through to another phone, as the stand-in carrier does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.channels.africastalking import parse_voice
from services.channels.simulator import voice
from services.channels.voice_xml import Dial, Play, Redirect, Say, Verb, render
from tests.services.channels.conftest import Callback, Carrier, Gateway

WORKER, PATIENT = "+254711000001", "+254722000002"
VOICE = "/at/at-token-of-128-bits-/voice"


def to_the_worker(gateway: Gateway, *, longest_s: int = 600) -> Callable[[Callback], str]:
    """Puts every call through; says so where nobody picks up, and nothing to the news of those who talk."""

    def answer(callback: Callback) -> str:
        verbs: list[Verb] = [
            Play(f"{gateway.url}/audio/wait.wav"),
            Dial(WORKER, longest_s),
            Redirect(f"{gateway.url}/nobody"),
        ]
        talks = callback.form["isActive"] == "0" or "dialDestinationNumber" in callback.form
        return render([] if talks else verbs)

    gateway.answers |= {"/audio/wait.wav": b"wait", "/nobody": render([Say("Nobody")])}
    return answer


def of(carrier: Carrier, msisdn: str) -> Any:
    return carrier.ask(f"calls?msisdn={msisdn.replace('+', '%2B')}")["calls"]


def put_through(carrier: Carrier) -> tuple[Any, Any]:
    """`(the call of whoever rang, the call that rings at the worker's)`"""
    call = carrier.ask("calls", {"msisdn": PATIENT})["call"]
    (leg,) = of(carrier, WORKER)
    assert (call["state"], call["talks"], leg["state"]) == ("active", False, "ringing")
    assert call["dials"] == leg["id"]
    return call, leg


@pytest.mark.parametrize("who", [PATIENT, WORKER])
def test_two_talk_until_one_hangs_up(carrier: Carrier, gateway: Gateway, who: str) -> None:
    gateway.answers[VOICE] = to_the_worker(gateway)
    call, leg = put_through(carrier)
    assert carrier.ask(f"calls/{leg['id']}/answer", {})["call"]["talks"]
    assert of(carrier, PATIENT)[0]["talks"]
    carrier.ask(f"calls/{(call if who == PATIENT else leg)['id']}/hangup", {})
    assert [each["state"] for each in (*of(carrier, PATIENT), *of(carrier, WORKER))] == ["ended", "ended"]
    rang, picked_up, over = [parse_voice(callback.form) for callback in gateway.at(VOICE)]
    assert (rang.active, rang.dialled) == (True, "")
    assert (picked_up.active, picked_up.dialled, picked_up.dial_s) == (True, WORKER, None)
    assert (over.active, over.dialled, over.dial_s, over.hangup_cause) == (False, WORKER, 1, "NORMAL_CLEARING")
    assert gateway.at("/nobody") == []


@pytest.mark.parametrize("how", ["declined", "busy", "rings for too long"])
def test_what_stands_behind_is_done_when_nobody_picks_up(
    carrier: Carrier, gateway: Gateway, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.answers[VOICE] = to_the_worker(gateway)
    if how == "busy":
        carrier.ask("faults", {"call_busy": 1})
        carrier.ask("calls", {"msisdn": PATIENT})
    elif how == "declined":
        carrier.ask(f"calls/{put_through(carrier)[1]['id']}/hangup", {})
    else:
        monkeypatch.setattr(voice, "_RINGS_S", 0.05)
        carrier.ask("calls", {"msisdn": PATIENT})
    gateway.wait_for("/nobody")
    last = parse_voice(gateway.wait_for(VOICE, 2)[-1].form)
    assert (last.active, last.dialled, last.dial_s) == (False, "", None)
    assert of(carrier, PATIENT)[0]["plays"][-1] == "say:Nobody"


def test_who_hangs_up_while_it_rings_stops_it(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[VOICE] = to_the_worker(gateway)
    call, leg = put_through(carrier)
    carrier.ask(f"calls/{call['id']}/hangup", {})
    assert of(carrier, WORKER)[0]["state"] == "ended"
    assert carrier.ask(f"calls/{leg['id']}/answer", {})["call"]["talks"] is False


def test_they_talk_no_longer_than_allowed(carrier: Carrier, gateway: Gateway) -> None:
    gateway.answers[VOICE] = to_the_worker(gateway, longest_s=1)
    _, leg = put_through(carrier)
    carrier.ask(f"calls/{leg['id']}/answer", {})
    gateway.wait_for(VOICE, 3)
    assert of(carrier, WORKER)[0]["state"] == "ended"


def test_an_answer_to_the_news_that_they_talk_parts_them(carrier: Carrier, gateway: Gateway) -> None:
    asked = iter([to_the_worker(gateway), lambda _: render([Say("Goodbye")]), lambda _: render([])])
    gateway.answers[VOICE] = lambda callback: next(asked)(callback)
    _, leg = put_through(carrier)
    carrier.ask(f"calls/{leg['id']}/answer", {})
    assert [each["state"] for each in (*of(carrier, PATIENT), *of(carrier, WORKER))] == ["ended", "ended"]
    assert of(carrier, PATIENT)[0]["plays"] == [f"{gateway.url}/audio/wait.wav", "say:Goodbye"]
