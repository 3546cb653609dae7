"""The photographs that sites sent, and where the model saw its signs: for reviewers only."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from services.hub import photographs, runtime
from services.hub.pages.access import guard

blueprint = Blueprint("media", __name__)
guard(blueprint, reviewers_only=True)


@blueprint.get("/photographs/<int:number>")
def photograph(number: int) -> Response:
    """A photograph as it came."""
    return _jpeg(number, heatmap=False)


@blueprint.get("/photographs/<int:number>/heatmap")
def heatmap(number: int) -> Response:
    """The same in greys, with the heat in warm colours."""
    return _jpeg(number, heatmap=True)


def _jpeg(number: int, *, heatmap: bool) -> Response:
    content = photographs.content_of(runtime.current(), number, heatmap=heatmap)
    if content is None:
        abort(404)
    return Response(content, mimetype="image/jpeg")
