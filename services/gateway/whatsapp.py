"""WhatsApp's webhook (Meta Cloud API)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from services import runtime
from services.channels.base import DeliveryReport
from services.channels.whatsapp import check_signature, parse, verify
from services.messaging.delivery import record_report
from services.messaging.inbox import receive

blueprint = Blueprint("whatsapp", __name__)


@blueprint.get("/whatsapp")
def verification() -> Response:
    """Meta's question whether this address is ours."""
    secret = runtime.current().settings.whatsapp_verify_token.get_secret_value()
    return Response(verify(request.args, secret), mimetype="text/plain")


@blueprint.post("/whatsapp")
def webhook() -> Response:
    """A batch of messages and delivery states, signed over its raw bytes."""
    site = runtime.current()
    raw = request.get_data(cache=False)
    check_signature(
        raw, request.headers.get("X-Hub-Signature-256", ""), site.settings.whatsapp_app_secret.get_secret_value()
    )
    for event in parse(raw):
        if isinstance(event, DeliveryReport):
            with site.db.write() as tx:
                record_report(tx, event)
        else:
            receive(site, event)
    return Response("OK", mimetype="text/plain")
