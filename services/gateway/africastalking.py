"""Africa's Talking's callbacks: USSD, SMS, delivery reports, opt-outs and voice. None is signed; the path token is the
proof.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from flows.ussd import ussd_turn
from services import runtime
from services.calls.dialogue import answer_call
from services.channels.africastalking import (
    NAME,
    parse_delivery,
    parse_optout,
    parse_sms,
    parse_ussd,
    parse_ussd_end,
    parse_voice,
)
from services.channels.base import Kind
from services.gateway.doors import require_token
from services.gateway.limits import refuse_flood_of
from services.messaging.delivery import record_report
from services.messaging.inbox import receive
from services.runtime import Runtime
from services.screening.people import opt_out_of

blueprint = Blueprint("africastalking", __name__, url_prefix="/at/<token>")


def _site(token: str) -> Runtime:
    site = runtime.current()
    require_token("at", token, site.settings.at_token)
    return site


@blueprint.post("/ussd")
def ussd(token: str) -> Response:
    """One turn of a USSD session, answered when its journal is safe."""
    site = _site(token)
    turn = parse_ussd(request.form)
    refuse_flood_of(turn.msisdn, "ussd")
    site.tally.ussd_turn(NAME, turn.session_id)
    with site.db.write() as tx:
        screen = ussd_turn(tx, turn, current_only_networks=site.settings.ussd_current_only_networks)
    return Response(screen, mimetype="text/plain")


@blueprint.post("/ussd-end")
def ussd_end(token: str) -> Response:
    """The notice that a session ended, with its cost. No conversation hangs on it: it resumes by its phone number."""
    site = _site(token)
    end = parse_ussd_end(request.form)
    site.tally.ussd_end(NAME, end.session_id, end.cost)
    return Response("OK", mimetype="text/plain")


@blueprint.post("/sms")
def sms(token: str) -> Response:
    """One SMS from a person, repeated by the carrier every minute until this says 200."""
    site, message = _site(token), parse_sms(request.form)
    refuse_flood_of(message.sender, "sms")
    receive(site, message)
    return Response("OK", mimetype="text/plain")


@blueprint.post("/delivery")
def delivery(token: str) -> Response:
    """What became of an SMS. One that is not ours is thanked too, or it would come for hours."""
    site = _site(token)
    report = parse_delivery(request.form)
    with site.db.write() as tx:
        record_report(tx, report, recipient=request.form.get("phoneNumber", ""))
    return Response("OK", mimetype="text/plain")


@blueprint.post("/optout")
def optout(token: str) -> Response:
    """The carrier's word that a number wants no more SMS."""
    site = _site(token)
    with site.db.write() as tx:
        opt_out_of(tx, msisdn=parse_optout(request.form), kind=Kind.SMS)
    return Response("OK", mimetype="text/plain")


@blueprint.post("/voice")
def voice(token: str) -> Response:
    """One event of a call, answered with what to play and which keys to wait for."""
    site = _site(token)
    event = parse_voice(request.form)
    return Response(answer_call(site, event, step=request.args.get("step", "")), mimetype="application/xml")
