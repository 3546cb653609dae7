"""The hub as a WSGI application: thin routes that authenticate, parse, hand over and answer."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from services.hub import metrics, receiving_routes, runtime, tus, updates
from services.hub.doors import Refused
from services.hub.pages import access, media_pages, overview_pages, review_pages
from services.metrics.correlation import name_requests

_LOG = logging.getLogger(__name__)
LARGEST_BODY = 1024 * 1024
"""Bytes of one request: a batch has hundreds at most, a photograph's chunk some hundred thousand."""

BLUEPRINTS = (
    receiving_routes.blueprint,
    updates.blueprint,
    tus.blueprint,
    access.blueprint,
    overview_pages.blueprint,
    review_pages.blueprint,
    media_pages.blueprint,
)


def create_hub() -> Flask:
    """The application, with its store opened: a hub that cannot read must not start to answer."""
    application = Flask("jicho-hub")
    application.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    for blueprint in BLUEPRINTS:
        application.register_blueprint(blueprint)
    name_requests(application)
    metrics.measure(application)
    application.register_error_handler(Refused, _refuse)
    application.register_error_handler(Exception, _fail)
    with runtime.current().db.read():
        return application


def _refuse(error: Refused) -> tuple[Response, int]:
    _LOG.warning("request refused", extra={"status": error.status, "reason": error.reason})
    return jsonify(error=error.reason), error.status


def _fail(error: Exception) -> tuple[Response, int] | HTTPException:
    if isinstance(error, HTTPException):
        return error
    _LOG.exception("request failed", exc_info=error)  # nothing was committed: the site will try again
    return jsonify(error="internal error, try again"), 500
