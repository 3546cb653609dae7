"""The call machine: asks the gateway what to do at each step, and does it as the carrier would."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from httpx import Response

from services.channels.simulator import network
from services.channels.simulator.network import GatewayAway
from services.channels.simulator.state import Call, Carrier, new_id

_REDIRECTS = 40
_PATIENCE_S = 0.5  # stands for the seconds that "one moment, please" takes to play
_RINGS_S = 30.0  # how long a phone rings that a call is put through to


def begin(carrier: Carrier, call: Call) -> None:
    """The call is answered: the first callback. Raises GatewayAway."""
    _ask(carrier, call, f"{carrier.config.gateway_url}/at/{carrier.config.at_token}/voice", None)


def pick_up(carrier: Carrier, leg: Call) -> None:
    """The phone that a call is put through to is answered: the two talk. Raises GatewayAway.

    The gateway is told of it in the middle of the call, and what it answers is played into their talk, as seen of the
    real carrier (its documentation says nothing of this notice).
    """
    call = carrier.calls[leg.of]
    with carrier.locked():
        if leg.state != "ringing" or call.state != "active":
            return
        leg.state, leg.started = "active", time.time()
        leg.talks = call.talks = True
    if call.longest_s:
        network.later(call.longest_s, hang_up, carrier, call)
    answer = network.at(carrier, "voice", _form(carrier, call, active=True))
    if answer.status_code != 200 or len(_verbs(answer.content)):
        _end(leg)
        _obey(carrier, call, answer)


def press(carrier: Carrier, call: Call, digits: str) -> None:
    """Keys are pressed, or with "" none until the time-out. Raises GatewayAway."""
    if not call.waits_for_keys or call.state != "active":
        return
    if digits:
        _ask(carrier, call, call.next_url, digits)
    else:
        _ask(carrier, call, call.after_silence_url or call.next_url, None)


def hang_up(carrier: Carrier, call: Call, cause: str = "") -> None:
    """The call ends: the last callback, with its price. `cause` for one that never began. Raises GatewayAway."""
    if call.of:
        _leave(carrier, call)
        return
    with carrier.locked():
        if call.state == "ended":
            return
        answered = call.state == "active" and not cause
        _end(call)
        if call.dials:
            _end(carrier.calls[call.dials])
    seconds = max(1, round(time.time() - call.started)) if answered else 0
    form = _form(carrier, call, active=False) | {
        "durationInSeconds": str(seconds),
        "currencyCode": "KES",
        "amount": f"{seconds * 0.05:.2f}",
        "hangupCause": cause or ("NORMAL_CLEARING" if answered else "NO_ANSWER"),
    }
    network.at(carrier, "voice", form)


def _leave(carrier: Carrier, leg: Call) -> None:
    """The phone that a call was put through to is put down, or never was picked up."""
    call = carrier.calls[leg.of]
    with carrier.locked():
        if leg.state == "ended":
            return
        _end(leg)
        goes_on = call.state == "active" and not leg.talks and call.unanswered_url
    if goes_on:
        _ask(carrier, call, call.unanswered_url, None)
    else:
        hang_up(carrier, call)


def _end(call: Call) -> None:
    call.state, call.waits_for_keys, call.ended = "ended", False, time.time()


def fetch(carrier: Carrier, url: str) -> bytes:
    """The audio behind a Play address of our gateway. Raises GatewayAway."""
    if urlsplit(url).netloc != urlsplit(carrier.config.gateway_url).netloc:
        raise GatewayAway("that audio is not the gateway's")
    answer = network.request("GET", url)
    if answer.status_code != 200:
        raise GatewayAway(f"the audio cannot be had (HTTP {answer.status_code})")
    return answer.content


def _ask(carrier: Carrier, call: Call, url: str, digits: str | None) -> None:
    call.plays, call.waits_for_keys = [], False
    for _ in range(_REDIRECTS):
        form = _form(carrier, call, active=True)
        if digits is not None:
            form["dtmfDigits"] = digits
        redirect = _obey(carrier, call, network.request("POST", url, data=form))
        if redirect is None:
            return
        url, digits = redirect, None
        time.sleep(_PATIENCE_S)
    hang_up(carrier, call)


def _obey(carrier: Carrier, call: Call, answer: Response) -> str | None:
    """Does what an answer says; the address that it redirects to. Raises GatewayAway."""
    if answer.status_code != 200:
        raise GatewayAway(f"the gateway's answer ends the call (HTTP {answer.status_code})")
    redirect, rejected = _follow(carrier, call, _verbs(answer.content))
    call.round += 1
    if rejected:
        hang_up(carrier, call, "CALL_REJECTED")
    elif redirect is None and not call.waits_for_keys and not _is_put_through(carrier, call):
        hang_up(carrier, call)
    return redirect


def _is_put_through(carrier: Carrier, call: Call) -> bool:
    return bool(call.dials) and carrier.calls[call.dials].state != "ended"


def _verbs(xml: bytes) -> list[Element]:
    """Raises GatewayAway."""
    try:
        return list(fromstring(xml, forbid_dtd=True))
    except (ParseError, DefusedXmlException):
        raise GatewayAway("the gateway's answer is no XML") from None


def _follow(carrier: Carrier, call: Call, verbs: Sequence[Element]) -> tuple[str | None, bool]:
    """Does what the XML says until it waits for keys, rings another phone or ends: `(the address it redirects to,
    whether it rejects)`."""
    for verb in verbs:
        if verb.tag == "Play":
            _play(carrier, call, verb.attrib["url"])
        elif verb.tag == "Say":
            call.plays.append(f"say:{verb.text or ''}")
        elif verb.tag == "GetDigits":
            for prompt in verb:
                if prompt.tag == "Play":
                    _play(carrier, call, prompt.attrib["url"])
                else:
                    call.plays.append(f"say:{prompt.text or ''}")
            call.waits_for_keys, call.digits = True, int(verb.attrib.get("numDigits", "0"))
            call.timeout_s = int(verb.attrib.get("timeout", "10"))
            call.next_url = verb.attrib["callbackUrl"]
        elif verb.tag == "Dial":
            call.unanswered_url = next((each.text or "" for each in verbs if each.tag == "Redirect"), "")
            call.longest_s = int(verb.attrib.get("maxDuration", "0"))
            if _ring(carrier, call, verb.attrib["phoneNumbers"].partition(",")[0]):
                return None, False
        elif verb.tag == "Redirect":
            if not call.waits_for_keys:
                return verb.text or "", False
            call.after_silence_url = verb.text or ""
        elif verb.tag == "Reject":
            return None, True
    return None, False


def _ring(carrier: Carrier, call: Call, number: str) -> bool:
    """Rings the phone that a call is put through to. False if it is busy: what stands behind the Dial is done."""
    leg = Call(new_id("ATVId_"), number, "Outbound", of=call.id)
    carrier.accept("call", number, id=leg.id, of=call.id)
    if carrier.fails("call_busy"):
        return False
    with carrier.locked():
        carrier.calls[leg.id] = leg
        call.dials, call.talks = leg.id, False
    network.later(_RINGS_S, _give_up, carrier, leg)
    return True


def _give_up(carrier: Carrier, leg: Call) -> None:
    if leg.state == "ringing":
        _leave(carrier, leg)


def _play(carrier: Carrier, call: Call, url: str) -> None:
    call.plays.append(url)
    try:
        carrier.keep_audio(url, fetch(carrier, url))
    except GatewayAway:
        return  # silence on the line; whoever asks for this audio is told why
    call.heard.append(url)


def _form(carrier: Carrier, call: Call, *, active: bool) -> dict[str, str]:
    leg = carrier.calls.get(call.dials)
    form = _put_through(leg, active=active) if leg is not None and leg.talks else {}
    return form | {
        "isActive": "1" if active else "0",
        "sessionId": call.id,
        "direction": call.direction,
        "callerNumber": call.msisdn,
        "destinationNumber": carrier.config.voice_number,
        "callSessionState": "Answered" if active else "Completed",
        "callStartTime": _stamp(call.started or time.time()),
        "callerCountryCode": "254",
        "callerCarrierName": "Safaricom",
    }


def _put_through(leg: Call, *, active: bool) -> dict[str, str]:
    """What the last callback tells of the phone that was on the line; the one at its pick-up only which it is."""
    form = {"dialDestinationNumber": leg.msisdn}
    if active:
        return form
    seconds = max(1, round((leg.ended or time.time()) - leg.started))
    return form | {"dialDurationInSeconds": str(seconds), "dialStartTime": _stamp(leg.started)}


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%d+%H:%M:%S", time.gmtime(seconds))
