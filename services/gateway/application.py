"""The gateway: thin routes that authenticate, parse, hand over and answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from services import runtime
from services.channels.base import BadCallback
from services.gateway import africastalking, audio, handover, health, home, metrics, mms, plan, webapp, whatsapp
from services.gateway.console.access import guard
from services.gateway.console.blueprints import BLUEPRINTS
from services.gateway.limits import limit
from services.ledger.callbacks import counted
from services.metrics.correlation import name_requests

_LOG = logging.getLogger(__name__)


def create_gateway() -> Flask:
    """The application, with its store opened: a site that cannot write must not start to answer."""
    application = Flask("jicho", static_folder=None)
    limit(application)
    guard(application)
    for module in (home, health, africastalking, whatsapp, mms, audio, plan, webapp, handover):
        application.register_blueprint(module.blueprint)
    for blueprint in BLUEPRINTS:
        application.register_blueprint(blueprint)
    application.register_error_handler(BadCallback, _refuse)
    application.register_error_handler(Exception, _fail)
    name_requests(application)
    metrics.measure(application)
    site = runtime.current()
    application.wsgi_app = counted(application.wsgi_app, site.tally, site.settings.public_url)  # type: ignore[method-assign, assignment]
    with site.db.read():
        return application


def rules_of(application: Flask) -> Iterator[tuple[str, str, str]]:
    """`(endpoint, method, address)` of every route, in the order of their addresses."""
    for rule in sorted(application.url_map.iter_rules(), key=lambda each: each.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, rule.rule


def _refuse(error: BadCallback) -> tuple[Response, int]:
    _LOG.warning("callback refused", extra={"reason": error.reason})
    return jsonify(error=error.reason), error.status


def _fail(error: Exception) -> tuple[Response, int] | HTTPException:
    if isinstance(error, HTTPException):
        return error
    # 500 makes a carrier try again later, which is what we want: nothing was committed.
    _LOG.exception("callback failed", exc_info=error)
    return jsonify(error="internal error, try again"), 500
