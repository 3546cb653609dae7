"""Picture messages: from an operator's MMSC (MM7) or from a Twilio-shaped provider."""

from __future__ import annotations

from flask import Blueprint, Response, request

from services import runtime
from services.channels import mm7, twilio_mms
from services.channels.base import BadCallback
from services.gateway.doors import require_address, require_token, signed
from services.gateway.limits import refuse_flood_of
from services.messaging.inbox import receive

blueprint = Blueprint("mms", __name__)


@blueprint.post("/mm7/<token>")
def deliver(token: str) -> Response:
    """A `DeliverReq`, thanked with a `DeliverRsp` of the same TransactionID once it is stored."""
    site = runtime.current()
    require_token("mm7", token, site.settings.mm7_token)
    try:
        inbound, transaction_id, version = mm7.parse(request.get_data(), request.headers.get("Content-Type", ""))
    except BadCallback as problem:
        # An MMSC reads SOAP only.
        answer = mm7.error_rsp(mm7.FORMAT_CORRUPT, problem.reason)
        return Response(answer, status=problem.status, mimetype="text/xml")
    refuse_flood_of(inbound.sender, "mms")
    receive(site, inbound)
    return Response(mm7.deliver_rsp(transaction_id, version), mimetype="text/xml")


@blueprint.post("/twilio/mms")
def twilio() -> Response:
    """A form that names its pictures by URL, signed over this address and its fields."""
    settings = runtime.current().settings
    secret = settings.twilio_auth_token.get_secret_value()
    if not secret:
        raise BadCallback("no such provider is configured", status=404)
    require_address("twilio")
    url = f"{settings.base_url}{request.full_path.rstrip('?')}"
    with signed():
        twilio_mms.check_signature(url, request.form, request.headers.get("X-Twilio-Signature", ""), secret)
    inbound = twilio_mms.parse(request.form)
    refuse_flood_of(inbound.sender, "mms")
    receive(runtime.current(), inbound)
    return Response("<Response/>", mimetype="text/xml")
