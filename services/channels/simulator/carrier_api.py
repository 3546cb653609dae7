"""What the gateway calls: Africa's Talking's SMS and voice interfaces, and Meta's Cloud API with its media."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from flask import Blueprint, Response, jsonify, request

from services.channels.gsm7 import parts
from services.channels.phone_numbers import is_person
from services.channels.simulator import network, voice
from services.channels.simulator.state import Call, Carrier, new_id

_SMS_KES = 0.8
_REPORT_AFTER_S = 0.3
_SILENT_S = 12.0  # longer than the SDK waits


def blueprint(carrier: Carrier) -> Blueprint:
    """The routes, bound to one carrier."""
    routes = Blueprint("carrier", __name__)
    config = carrier.config

    def refused() -> Response | None:
        known = request.form.get("username") == config.at_username
        if known and request.headers.get("apiKey") == config.at_api_key:
            return None
        return Response("The supplied authentication is invalid", status=401, mimetype="text/plain")

    @routes.get("/version1/user")
    def user() -> Any:
        known = request.args.get("username") == config.at_username
        if not known or request.headers.get("apiKey") != config.at_api_key:
            return Response("The supplied authentication is invalid", status=401, mimetype="text/plain")
        return jsonify(UserData={"balance": "KES 10.00" if carrier.fails("low_balance") else "KES 1785.50"})

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
            time.sleep(_SILENT_S)  # it was taken, and nobody learns of it
        sent = sum(recipient["statusCode"] == 101 for recipient in recipients)
        total = f"Sent to {sent}/{len(numbers)} Total Cost: KES {_SMS_KES * sent * parts(text):.4f}"
        return jsonify(SMSMessageData={"Message": total, "Recipients": recipients}), 201

    @routes.post("/call")
    def call() -> Any:
        if problem := refused():
            return problem
        entries = [_ring(carrier, number) for number in request.form.get("to", "").split(",")]
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
        if carrier.fails("whatsapp_throttled"):
            error = {"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
            return jsonify(error=error), 400
        body = request.get_json(silent=True)
        number = network.number_of(body) if isinstance(body, dict) else ""
        if phone_number_id != config.whatsapp_phone_number_id or not number:
            error = {"message": f"({version}) Invalid parameter", "type": "OAuthException", "code": 100}
            return jsonify(error=error), 400
        identity = new_id("wamid.")
        carrier.accept("whatsapp", number, id=identity, sender="gateway", message=body)
        network.later(_REPORT_AFTER_S, network.whatsapp_status, carrier, identity, number, "sent")
        network.later(2 * _REPORT_AFTER_S, network.whatsapp_status, carrier, identity, number, "delivered")
        contact = {"input": number, "wa_id": number[1:]}
        return jsonify(messaging_product="whatsapp", contacts=[contact], messages=[{"id": identity}])

    @routes.post("/<version>/<phone_number_id>/media")
    def whatsapp_upload(version: str, phone_number_id: str) -> Any:
        if problem := _unauthorised(carrier):
            return problem
        file = request.files.get("file")
        known = phone_number_id == config.whatsapp_phone_number_id
        if not known or file is None or request.form.get("messaging_product") != "whatsapp":
            error = {"message": f"({version}) Invalid parameter", "type": "OAuthException", "code": 100}
            return jsonify(error=error), 400
        identity = new_id("media.")
        carrier.media[identity] = (file.read(), request.form.get("type", ""))
        return jsonify(id=identity)

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
        return _unauthorised(carrier) or _file(carrier, media_id)

    @routes.get("/twilio-media/<media_id>")
    def twilio_download(media_id: str) -> Any:
        given = request.authorization
        if given is None or (given.username, given.password) != (config.twilio_account_sid, config.twilio_auth_token):
            return Response("Authenticate", status=401)
        return _file(carrier, media_id)

    return routes


def _send(carrier: Carrier, number: str, text: str, *, no_airtime: bool) -> dict[str, Any]:
    status, code = ("Success", 101) if is_person(number) else ("InvalidPhoneNumber", 403)
    if no_airtime:
        status, code = "InsufficientBalance", 405
    if code != 101:
        return {"cost": "0", "messageId": "None", "number": number, "status": status, "statusCode": code}
    identity, count = new_id("ATXid_"), parts(text)
    carrier.accept("sms", number, id=identity, text=text, parts=count, sender="gateway")
    arrives = not carrier.fails("sms_undelivered")
    first = carrier.fails("report_first")
    network.later(0 if first else _REPORT_AFTER_S, _report, carrier, identity, number, arrives)
    if carrier.fails("report_twice"):
        network.later(2 * _REPORT_AFTER_S, _report, carrier, identity, number, arrives)
    if first:
        time.sleep(_REPORT_AFTER_S)
    cost = f"KES {_SMS_KES * count:.4f}"
    return {"cost": cost, "messageId": identity, "number": number, "status": status, "statusCode": code}


def _report(carrier: Carrier, identity: str, number: str, delivered: bool) -> None:
    network.sms_report(carrier, identity, number, delivered=delivered)


def _ring(carrier: Carrier, number: str) -> dict[str, Any]:
    if carrier.fails("call_no_airtime"):
        return {"phoneNumber": number, "status": "InsufficientCredit", "sessionId": "None"}
    if not is_person(number):
        return {"phoneNumber": number, "status": "InvalidPhoneNumber", "sessionId": "None"}
    call = Call(new_id("ATVId_"), number, "Outbound")
    busy = carrier.fails("call_busy")
    if not busy:
        with carrier.locked():
            carrier.calls[call.id] = call
    carrier.accept("call", number, id=call.id)
    if busy:
        network.later(_REPORT_AFTER_S, voice.hang_up, carrier, call, "USER_BUSY")
    return {"phoneNumber": number, "status": "Queued", "sessionId": call.id}


def _unauthorised(carrier: Carrier) -> tuple[Response, int] | None:
    if request.headers.get("Authorization") == f"Bearer {carrier.config.whatsapp_access_token}":
        return None
    error = {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}
    return jsonify(error=error), 401


def _file(carrier: Carrier, media_id: str) -> Response:
    content, mime_type = carrier.media.get(media_id, (b"", ""))
    return Response(content, mimetype=mime_type) if content else Response("no such file", status=404)
