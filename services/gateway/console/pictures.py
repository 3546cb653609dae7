"""The photographs of a screening, and where the model saw its signs."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from services import runtime
from services.gateway.console.access import noted_alone
from services.store.tables import photo, reading, screening

blueprint = Blueprint("pictures", __name__, url_prefix="/console/photographs")


@blueprint.get("/<int:number>")
def photograph(number: int) -> AnyResponse:
    """A photograph, without what its camera wrote into it."""
    return _jpeg(number, photo.c.sha256, "photograph-viewed")


@blueprint.get("/<int:number>/heatmap")
def heatmap(number: int) -> AnyResponse:
    """The same in greys, with the heat in warm colours."""
    return _jpeg(number, reading.c.heatmap, "heatmap-viewed")


def _jpeg(number: int, column: sa.Column[str], action: str) -> AnyResponse:
    """Only of photographs that were read: what else came may be anything."""
    site = runtime.current()
    with site.db.read() as tx:
        row = tx.execute(
            sa.select(column.label("sha256"), screening.c.id.label("screening"))
            .select_from(photo)
            .join(reading, reading.c.photo_id == photo.c.id)
            .join(screening, screening.c.id == photo.c.screening_id)
            .where(photo.c.id == number, screening.c.state != "withdrawn")
        ).first()
    if row is None or row.sha256 is None:
        abort(404)
    etag = hashlib.sha256(f"console:{row.sha256}".encode()).hexdigest()
    if not request.if_none_match.contains(etag):
        noted_alone(action, f"screening:{row.screening}", photograph=number)
    try:
        content = site.media.content(row.sha256)
    except OSError:
        abort(404)
    response = Response(content, mimetype="image/jpeg")
    response.set_etag(etag)
    # Only the viewer's own browser may keep it, and asks each time whether she still may see it.
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)
