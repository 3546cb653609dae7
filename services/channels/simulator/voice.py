"""The call machine: asks the gateway what to do at each step, and does it as the carrier would."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from services.channels.simulator import network
from services.channels.simulator.network import GatewayAway
from services.channels.simulator.state import Call, Carrier

_REDIRECTS = 40
_PATIENCE_S = 0.25  # stands for the seconds that "one moment, please" takes to play


def begin(carrier: Carrier, call: Call) -> None:
    """The call is answered: the first callback. Raises GatewayAway."""
    _ask(carrier, call, f"{carrier.config.gateway_url}/at/{carrier.config.at_token}/voice", None)


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
    with carrier.locked():
        if call.state == "ended":
            return
        answered = call.state == "active" and not cause
        call.state, call.waits_for_keys = "ended", False
    seconds = max(1, round(time.time() - call.started)) if answered else 0
    form = _form(carrier, call, active=False) | {
        "durationInSeconds": str(seconds),
        "currencyCode": "KES",
        "amount": f"{seconds * 0.05:.2f}",
        "hangupCause": cause or ("NORMAL_CLEARING" if answered else "NO_ANSWER"),
    }
    network.at(carrier, "voice", form)


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
        answer = network.request("POST", url, data=form)
        if answer.status_code != 200:
            raise GatewayAway(f"the gateway's answer ends the call (HTTP {answer.status_code})")
        redirect, rejected = _follow(carrier, call, answer.content)
        call.round += 1
        if rejected:
            hang_up(carrier, call, "CALL_REJECTED")
            return
        if redirect is None:
            if not call.waits_for_keys:
                hang_up(carrier, call)
            return
        url, digits = redirect, None
        time.sleep(_PATIENCE_S)
    hang_up(carrier, call)


def _follow(carrier: Carrier, call: Call, xml: bytes) -> tuple[str | None, bool]:
    """Does what the XML says until it waits for keys or ends: `(the address it redirects to, whether it rejects)`."""
    try:
        verbs = list(fromstring(xml, forbid_dtd=True))
    except (ParseError, DefusedXmlException):
        raise GatewayAway("the gateway's answer is no XML") from None
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
        elif verb.tag == "Redirect":
            if not call.waits_for_keys:
                return verb.text or "", False
            call.after_silence_url = verb.text or ""
        elif verb.tag == "Reject":
            return None, True
    return None, False


def _play(carrier: Carrier, call: Call, url: str) -> None:
    call.plays.append(url)
    try:
        carrier.keep_audio(url, fetch(carrier, url))
    except GatewayAway:
        return  # silence on the line; whoever asks for this audio is told why
    call.heard.append(url)


def _form(carrier: Carrier, call: Call, *, active: bool) -> dict[str, str]:
    return {
        "isActive": "1" if active else "0",
        "sessionId": call.id,
        "direction": call.direction,
        "callerNumber": call.msisdn,
        "destinationNumber": carrier.config.voice_number,
        "callSessionState": "Answered" if active else "Completed",
        "callStartTime": time.strftime("%Y-%m-%d+%H:%M:%S", time.gmtime(call.started or time.time())),
        "callerCountryCode": "254",
        "callerCarrierName": "Safaricom",
    }
