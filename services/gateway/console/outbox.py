"""Messages and calls: where each one stands and what it cost. Never what it says, and no whole number."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from services import runtime
from services.channels.base import DeliveryState
from services.ledger.report import report
from services.messaging.listing import newest, states

blueprint = Blueprint("outbox", __name__, url_prefix="/console")
_STATES = tuple(state.value for state in DeliveryState)


@blueprint.get("/outbox")
def page() -> str:
    """The newest, or those in one `state`."""
    state = request.args.get("state", "")
    if state not in ("", *_STATES):
        abort(404)
    site = runtime.current()
    with site.db.read() as tx:
        numbers, listed = states(tx), newest(tx, state)
    return render_template(
        "console/outbox.html", state=state, states=_STATES, numbers=numbers, listed=listed, cost=report(site, 30)
    )
