"""WhatsApp's webhook (Meta Cloud API)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from services import runtime
from services.channels.base import DeliveryReport
from services.channels.whatsapp import check_signature, parse, verify
from services.gateway.doors import require_address, signed
from services.gateway.limits import TooOften, refuse_flood_of
from services.messaging.delivery import record_report
from services.messaging.inbox import came_before, receive

blueprint = Blueprint("whatsapp", __name__)


@blueprint.get("/whatsapp")
def verification() -> Response:
    """Meta's question whether this address is ours."""
    require_address("whatsapp")
    secret = runtime.current().settings.whatsapp_verify_token.get_secret_value()
    with signed():
        return Response(verify(request.args, secret), mimetype="text/plain")


@blueprint.post("/whatsapp")
def webhook() -> Response:
    """A batch of messages and delivery states, signed over its raw bytes."""
    require_address("whatsapp")
    site = runtime.current()
    raw = request.get_data(cache=False)
    with signed():
        check_signature(
            raw, request.headers.get("X-Hub-Signature-256", ""), site.settings.whatsapp_app_secret.get_secret_value()
        )
    flooded = None
    for event in parse(raw):
        if isinstance(event, DeliveryReport):
            with site.db.write() as tx:
                record_report(tx, event)
        elif not came_before(site, event):
            try:
                refuse_flood_of(event.sender, "whatsapp")
            except TooOften as refusal:
                flooded = refusal
                continue  # what others sent in the same batch is taken
            receive(site, event)
    if flooded is not None:
        raise flooded  # Meta brings the batch again, and what was taken of it is known
    return Response("OK", mimetype="text/plain")
