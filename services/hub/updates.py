"""Serves the signed repository of models and voices to the sites, and keeps it fresh."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

from services.hub import runtime
from services.hub.doors import site_of_request
from services.hub.down import send_down
from services.hub.runtime import Hub
from services.hub.tables import site

_LOG = logging.getLogger(__name__)
HINT = "update"

blueprint = Blueprint("updates", __name__, url_prefix="/updates")


@blueprint.get("/metadata/<name>")
def metadata(name: str) -> Response:
    """One signed list. 404 is how TUF's client knows the newest root.

    Whoever asks for the timestamp has it signed anew when it is a day old: while nobody asks, nobody needs it."""
    if name == "timestamp.json":
        refresh(runtime.current())
    return _file("metadata", name)


@blueprint.get("/targets/<path:name>")
def targets(name: str) -> Response:
    """One file, or the part of it that a site still lacks."""
    return _file("targets", name)


def _file(folder: str, name: str) -> Response:
    site_of_request()
    path = runtime.current().settings.hub_dir.absolute() / "updates" / folder
    try:
        answer = send_from_directory(path, name, mimetype="application/octet-stream", etag=False, max_age=None)
    except NotFound:
        return Response(status=404)  # every look ends with one: without a page of text
    # Neither Last-Modified nor ETag: a name says what is in the file, and each header costs every site its bytes.
    for header in ("Last-Modified", "Content-Disposition", "Cache-Control", "Date"):
        answer.headers.pop(header, None)
    return answer


def hint(hub: Hub) -> int:
    """Tells every site that something was published. How many."""
    with hub.db.write() as tx:
        sites = tx.execute(sa.select(site.c.id).where(site.c.revoked_at.is_(None)).order_by(site.c.id)).scalars().all()
        for number in sites:
            send_down(tx, number, HINT, {})
    return len(sites)


def refresh(hub: Hub) -> None:
    """Signs the timestamp anew when it is a day old; any process of the hub may, as often as it likes."""
    from datetime import UTC, datetime, timedelta

    from services.updates.keys import BadKey
    from services.updates.repository import LIFE, NotPublished, Repository

    repository, now = Repository(hub.settings.hub_dir / "updates"), datetime.now(UTC)
    if not repository.exists:
        return

    def aged() -> bool:
        return repository.timestamp().expires - now <= LIFE["timestamp"] - timedelta(days=1)

    try:
        if aged():
            with repository.changing():
                if aged():  # not done by another process meanwhile
                    repository.refresh(now)
    except (NotPublished, BadKey, OSError) as error:
        _LOG.error("updates not refreshed", extra={"reason": str(error)})
