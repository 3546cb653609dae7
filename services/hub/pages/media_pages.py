"""The photographs that sites sent, and where the model saw its signs: for reviewers only."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, abort, g, request
from werkzeug.wrappers import Response as AnyResponse

from services.hub import photographs, runtime
from services.hub.audit import LOG
from services.hub.pages.access import guard
from services.store.audit import by_account

blueprint = Blueprint("media", __name__)
guard(blueprint, reviewers_only=True)


@blueprint.get("/photographs/<int:number>")
def photograph(number: int) -> AnyResponse:
    """A photograph as it came."""
    return _jpeg(number, heatmap=False)


@blueprint.get("/photographs/<int:number>/heatmap")
def heatmap(number: int) -> AnyResponse:
    """The same in greys, with the heat in warm colours."""
    return _jpeg(number, heatmap=True)


def _jpeg(number: int, *, heatmap: bool) -> AnyResponse:
    content = photographs.content_of(runtime.current(), number, heatmap=heatmap)
    if content is None:
        abort(404)
    with runtime.current().db.write() as tx:  # before it is sent
        viewed = "heatmap-viewed" if heatmap else "photograph-viewed"
        LOG.record(tx, by_account(g.reviewer.name), viewed, f"photograph:{number}")
    response = Response(content, mimetype="image/jpeg")
    response.set_etag(hashlib.sha256(content).hexdigest())
    # Only the reviewer's own browser may keep it, and asks each time whether she still may see it.
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request, accept_ranges=True, complete_length=len(content))
