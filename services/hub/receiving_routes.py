"""The doors through which sites come: enrolment, and batches of what happened."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from flask import Blueprint, Response, jsonify, request

from services.hub import runtime
from services.hub.doors import Refused, site_of_request
from services.hub.enrolment import EnrolmentRefused, redeem
from services.hub.receiving import receive
from services.sync.batch import BatchError, decode, encode_answer
from services.updates.repository import first_root

blueprint = Blueprint("receiving", __name__)
_LONGEST_ENROLMENT = 2048


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.post("/enrol")
def enrol() -> Response:
    """A one-time code and a key in, the site's number out."""
    try:
        if (request.content_length or 0) > _LONGEST_ENROLMENT:
            raise ValueError
        asked = json.loads(request.get_data())
        word, public_key = str(asked["code"]), b64decode(asked["public_key"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "an enrolment has a code and a public key") from None
    try:
        with runtime.current().db.write() as tx:
            enrolled = redeem(tx, word, public_key)
    except EnrolmentRefused as problem:
        raise Refused(403, str(problem)) from None
    return jsonify(
        site=enrolled.site_id,
        name=enrolled.name,
        patient_key=b64encode(enrolled.patient_key).decode(),
        updates_root=(first_root(runtime.current().settings.hub_dir) or b"").decode(),
    )


@blueprint.post("/sync/batches")
def batches() -> Response:
    """A batch in; out what was taken and what waits for the site."""
    site = site_of_request()
    try:
        batch = decode(request.get_data())
        with runtime.current().db.write() as tx:
            answer = receive(tx, site.id, batch)
    except BatchError as problem:
        raise Refused(422 if problem.newer else 400, str(problem)) from None
    return Response(encode_answer(answer), mimetype="application/octet-stream")
