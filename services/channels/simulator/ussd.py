"""USSD as a handset does it: dial a code, answer screens, hang up."""

from __future__ import annotations

import time

from services.channels.simulator import network
from services.channels.simulator.network import GatewayAway
from services.channels.simulator.state import Carrier, UssdSession, new_id

_END_AFTER_S = 0.05


class WrongCode(Exception):
    """Nobody answers that code."""


def dial(carrier: Carrier, msisdn: str, code: str) -> UssdSession:
    """Opens a session. What follows the service code, as in `*384*77*2#`, is the first `text`.

    Raises WrongCode, GatewayAway.
    """
    service = carrier.config.ussd_code.removesuffix("#")
    rest = code.removesuffix("#").removeprefix(service)
    if not code.startswith(service) or not code.endswith("#") or (rest and not rest.startswith("*")):
        raise WrongCode(code)
    return send(carrier, msisdn, UssdSession(new_id("ATUid_"), rest.removeprefix("*"), time.time()))


def answer(carrier: Carrier, msisdn: str, typed: str) -> UssdSession:
    """Sends what was typed, appended to what was typed before; dials when no session is open. Raises GatewayAway."""
    session = carrier.sessions.get(msisdn)
    if session is None:
        return dial(carrier, msisdn, carrier.config.ussd_code)
    session.text = f"{session.text}*{typed}" if session.text else typed
    return send(carrier, msisdn, session)


def send(carrier: Carrier, msisdn: str, session: UssdSession) -> UssdSession:
    """One turn of a session, which replaces any other of this number. Raises GatewayAway."""
    with carrier.locked():
        before = carrier.sessions.get(msisdn)
        carrier.sessions[msisdn] = session
    if before is not None and before.id != session.id:
        _end(carrier, msisdn, before, "Incomplete")
    try:
        network.ussd(carrier, session, msisdn)
    except GatewayAway as problem:
        carrier.sessions.pop(msisdn, None)
        _end(carrier, msisdn, session, "Failed", str(problem))
        raise
    if session.screen.startswith("END"):
        carrier.sessions.pop(msisdn, None)
        _end(carrier, msisdn, session, "Success")
    return session


def hang_up(carrier: Carrier, msisdn: str) -> None:
    """Ends the session from the phone, or as when the network is lost."""
    session = carrier.sessions.pop(msisdn, None)
    if session is not None:
        _end(carrier, msisdn, session, "Incomplete")


def _end(carrier: Carrier, msisdn: str, session: UssdSession, status: str, problem: str = "") -> None:
    network.later(_END_AFTER_S, network.ussd_end, carrier, session, msisdn, status, problem)
