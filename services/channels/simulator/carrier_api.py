"""What the gateway calls: Africa's Talking's SMS and voice interfaces, and Meta's Cloud API with its media."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from services.channels.gsm7 import parts
from services.channels.phone_numbers import is_person
from services.channels.simulator import network
from services.channels.simulator.state import Call, Carrier, new_id

_SMS_KES = 0.8
_REPORT_AFTER_S = 0.3


def blueprint(carrier: Carrier) -> Blueprint:
    """The routes, bound to one carrier."""
    routes = Blueprint("carrier", __name__)
    config = carrier.config

    def refused() -> Response | None:
        known = request.form.get("username") == config.at_username
        if known and request.headers.get("apiKey") == config.at_api_key:
            return None
        return Response("The supplied authentication is invalid", status=401, mimetype="text/plain")

    @routes.post("/version1/messaging")
    def messaging() -> Any:
        if problem := refused():
            return problem
        if carrier.fails("sms_500"):
            return Response("Internal Server Error", status=500)
        form = request.form
        if form.get("from") not in (None, "", config.sms_sender):
            return jsonify(SMSMessageData={"Message": "InvalidSenderId", "Recipients": []}), 201
        numbers, text = form.get("to", "").split(","), form.get("message", "")
        no_airtime, silent = carrier.fails("sms_no_airtime"), carrier.fails("sms_silent")
        recipients = [_send(carrier, number, text, no_airtime=no_airtime) for number in numbers]
        if silent:
            time.sleep(12)  # longer than the SDK waits: it was taken, and nobody learns of it
        sent = sum(recipient["statusCode"] == 101 for recipient in recipients)
        total = f"Sent to {sent}/{len(numbers)} Total Cost: KES {_SMS_KES * sent * parts(text):.4f}"
        return jsonify(SMSMessageData={"Message": total, "Recipients": recipients}), 201

    @routes.post("/call")
    def call() -> Any:
        if problem := refused():
            return problem
        entries = []
        for number in request.form.get("to", "").split(","):
            if carrier.fails("call_busy"):
                entries.append({"phoneNumber": number, "status": "DestinationBusy", "sessionId": "None"})
                continue
            ringing = Call(new_id("ATVId_"), number, "Outbound")
            with carrier.locked():
                carrier.calls[ringing.id] = ringing
            carrier.accept("call", number, id=ringing.id)
            entries.append({"phoneNumber": number, "status": "Queued", "sessionId": ringing.id})
        return jsonify(entries=entries, errorMessage="None")

    @routes.post("/queueStatus")
    def queue_status() -> Any:
        if problem := refused():
            return problem
        with carrier.locked():
            waiting = sum(call.state == "ringing" for call in carrier.calls.values())
        entry = {"phoneNumber": config.voice_number, "queueName": None, "numCalls": waiting}
        return jsonify(status="Success", entries=[entry], errorMessage="None")

    @routes.post("/mediaUpload")
    def media_upload() -> Any:
        return refused() or Response(
            "The request has been fulfilled and resulted in a new resource being created.", 201
        )

    @routes.post("/<version>/<phone_number_id>/messages")
    def whatsapp_messages(version: str, phone_number_id: str) -> Any:
        if problem := _unauthorised(carrier):
            return problem
        if carrier.fails("whatsapp_500"):
            return jsonify(error={"message": "An unknown error occurred", "code": 1}), 500
        body = request.get_json(silent=True)
        if phone_number_id != config.whatsapp_phone_number_id or not isinstance(body, dict) or not body.get("to"):
            error = {"message": f"({version}) Invalid parameter", "type": "OAuthException", "code": 100}
            return jsonify(error=error), 400
        number, identity = f"+{body['to']}", new_id("wamid.")
        carrier.accept("whatsapp", number, id=identity, sender="gateway", message=body)
        _later(network.whatsapp_status, carrier, identity, number, "delivered")
        return jsonify(
            messaging_product="whatsapp",
            contacts=[{"input": body["to"], "wa_id": body["to"]}],
            messages=[{"id": identity}],
        )

    @routes.get("/<version>/<media_id>")
    def media(version: str, media_id: str) -> Any:
        if problem := _unauthorised(carrier):
            return problem
        found = carrier.media.get(media_id)
        if found is None:
            error = {"message": f"({version}) Object does not exist", "code": 100, "error_subcode": 33}
            return jsonify(error=error), 404
        content, mime_type = found
        return jsonify(
            id=media_id,
            url=f"{config.own_url}/whatsapp-media/{media_id}",
            mime_type=mime_type,
            sha256=hashlib.sha256(content).hexdigest(),
            file_size=len(content),
            messaging_product="whatsapp",
        )

    @routes.get("/whatsapp-media/<media_id>")
    def download(media_id: str) -> Any:
        if problem := _unauthorised(carrier):
            return problem
        content, mime_type = carrier.media[media_id]
        return Response(content, mimetype=mime_type)

    @routes.get("/twilio-media/<media_id>")
    def twilio_download(media_id: str) -> Any:
        given = request.authorization
        if given is None or (given.username, given.password) != (config.twilio_account_sid, config.twilio_auth_token):
            return Response("Authenticate", status=401)
        content, mime_type = carrier.media[media_id]
        return Response(content, mimetype=mime_type)

    return routes


def _send(carrier: Carrier, number: str, text: str, *, no_airtime: bool) -> dict[str, Any]:
    status, code = ("Success", 101) if is_person(number) else ("InvalidPhoneNumber", 403)
    if no_airtime:
        status, code = "InsufficientBalance", 405
    if code != 101:
        return {"cost": "0", "messageId": "None", "number": number, "status": status, "statusCode": code}
    identity, count = new_id("ATXid_"), parts(text)
    carrier.accept("sms", number, id=identity, text=text, parts=count, sender="gateway")
    _later(network.sms_report, carrier, identity, number)
    cost = f"KES {_SMS_KES * count:.4f}"
    return {"cost": cost, "messageId": identity, "number": number, "status": status, "statusCode": code}


def _unauthorised(carrier: Carrier) -> tuple[Response, int] | None:
    if request.headers.get("Authorization") == f"Bearer {carrier.config.whatsapp_access_token}":
        return None
    error = {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}
    return jsonify(error=error), 401


def _later(action: Any, *arguments: Any) -> None:
    timer = threading.Timer(_REPORT_AFTER_S, action, arguments)
    timer.daemon = True
    timer.start()
