"""Today's queue: who was screened, who waits for a look, a photograph or a visit."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from services import runtime
from services.screening.board import VIEWS, counts, queue

blueprint = Blueprint("queue", __name__, url_prefix="/console")


@blueprint.get("/queue")
def page() -> str:
    """One view of it; htmx asks for the list alone, every half minute."""
    view = request.args.get("view", VIEWS[0])
    if view not in VIEWS:
        abort(404)
    with runtime.current().db.read() as tx:
        waiting, numbers = queue(tx, view), counts(tx)
    template = "console/queue_list.html" if request.headers.get("HX-Request") else "console/queue.html"
    return render_template(template, view=view, views=VIEWS, numbers=numbers, waiting=waiting)
