"""The stand-in's web application: the carriers' interfaces for the gateway, and the phones for people and tests."""

from __future__ import annotations

from flask import Flask, Response, jsonify, redirect
from werkzeug.exceptions import HTTPException

from services.channels.simulator import carrier_api, phone_api
from services.channels.simulator.state import Carrier, SimulatorConfig

_LARGEST_BODY = 64 * 1024 * 1024


def create_simulator(config: SimulatorConfig) -> Flask:
    """A carrier of its own, with nothing in it yet."""
    application = Flask(__name__, static_folder="static", static_url_path="/phone/static")
    application.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    carrier = Carrier(config)
    application.register_blueprint(carrier_api.blueprint(carrier))
    application.register_blueprint(phone_api.blueprint(carrier))
    application.add_url_rule("/", view_func=lambda: redirect("/phone"))
    application.register_error_handler(HTTPException, _refuse)
    return application


def _refuse(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code or 500
