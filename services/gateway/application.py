"""The gateway: thin routes that authenticate, parse, hand over and answer."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from services import runtime
from services.channels.base import BadCallback
from services.gateway import (
    africastalking,
    audio,
    handover,
    health,
    home,
    messages,
    metrics,
    mms,
    plan,
    recording,
    webapp,
    whatsapp,
)
from services.ledger.callbacks import counted
from services.metrics.correlation import name_requests

_LOG = logging.getLogger(__name__)
_LARGEST_BODY = 32 * 1024 * 1024  # an MM7 delivery carries its pictures, and more pictures than one


def create_gateway() -> Flask:
    """The application, with its store opened: a site that cannot write must not start to answer."""
    application = Flask("jicho")
    application.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    for module in (home, health, africastalking, whatsapp, mms, audio, recording, messages, plan, webapp, handover):
        application.register_blueprint(module.blueprint)
    application.register_error_handler(BadCallback, _refuse)
    application.register_error_handler(Exception, _fail)
    name_requests(application)
    metrics.measure(application)
    site = runtime.current()
    application.wsgi_app = counted(application.wsgi_app, site.tally, site.settings.public_url)  # type: ignore[method-assign, assignment]
    with site.db.read():
        return application


def _refuse(error: BadCallback) -> tuple[Response, int]:
    _LOG.warning("callback refused", extra={"reason": error.reason})
    return jsonify(error=error.reason), error.status


def _fail(error: Exception) -> tuple[Response, int] | HTTPException:
    if isinstance(error, HTTPException):
        return error
    # 500 makes a carrier try again later, which is what we want: nothing was committed.
    _LOG.exception("callback failed", exc_info=error)
    return jsonify(error="internal error, try again"), 500
