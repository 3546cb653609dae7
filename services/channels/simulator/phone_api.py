"""The phones: what the page, the terminal phone and the tests do with their hands."""

from __future__ import annotations

import io
import time
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request

from services.channels.simulator import network, voice
from services.channels.simulator.network import GatewayAway
from services.channels.simulator.state import Call, Carrier, new_id

_MEDIA_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_SAMPLES = {"clear": False, "signs": True}


def blueprint(carrier: Carrier) -> Blueprint:
    """The routes under /phone, bound to one carrier."""
    routes = Blueprint("phone", __name__, url_prefix="/phone", template_folder="templates")

    @routes.get("")
    def page() -> str:
        return render_template("phone.html", code=carrier.config.ussd_code)

    @routes.get("/samples/<name>-<int:seed>.jpg")
    def sample(name: str, seed: int) -> Response:
        """A drawn retina, clear or with signs of disease: no photograph of a person comes with the project."""
        from models.dr.phantom import draw

        if name not in _SAMPLES:
            abort(404, "samples are clear-N.jpg and signs-N.jpg")
        file = io.BytesIO()
        draw(seed, lesions=_SAMPLES[name]).save(file, "JPEG", quality=88)
        return Response(file.getvalue(), mimetype="image/jpeg")

    @routes.post("/api/ussd")
    def ussd() -> Any:
        """`{msisdn, input?, text?}`: dials without `input`, answers with it; `text` sends exactly that."""
        body = _body("msisdn")
        msisdn = body["msisdn"]
        with carrier.locked():
            session, text = carrier.sessions.get(msisdn, ("", ""))
            if "text" in body:
                session, text = body.get("session_id") or session or new_id("ATUid_"), str(body["text"])
            elif "input" in body and session:
                text = f"{text}*{body['input']}" if text else str(body["input"])
            else:
                session, text = new_id("ATUid_"), ""
            carrier.sessions[msisdn] = (session, text)
        try:
            screen = network.ussd(carrier, session, msisdn, text)
        except GatewayAway as problem:
            carrier.sessions.pop(msisdn, None)
            return jsonify(error=str(problem)), 502
        if screen.startswith("END"):
            carrier.sessions.pop(msisdn, None)
        return jsonify(session_id=session, text=text, screen=screen[4:], ended=screen.startswith("END"))

    @routes.post("/api/sms")
    def sms() -> Any:
        body = _body("msisdn", "text")
        carrier.accept("sms", body["msisdn"], text=body["text"], sender="person")
        return _taken(network.sms(carrier, body["msisdn"], body["text"]))

    @routes.get("/api/inbox")
    def inbox() -> Any:
        return jsonify(messages=carrier.of("sms", request.args.get("msisdn", "")))

    @routes.post("/api/whatsapp")
    def whatsapp() -> Any:
        body = _body("msisdn")
        text, choice = str(body.get("text", "")), str(body.get("choice", ""))
        message: dict[str, Any] = {"type": "text", "text": {"body": text}}
        if choice:
            reply = {"id": choice, "title": text}
            message = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        carrier.accept("whatsapp", body["msisdn"], sender="person", message=message)
        return _taken(network.whatsapp(carrier, body["msisdn"], message))

    @routes.get("/api/whatsapp")
    def chat() -> Any:
        return jsonify(messages=carrier.of("whatsapp", request.args.get("msisdn", "")))

    @routes.post("/api/picture")
    def picture() -> Any:
        """Form `msisdn, caption, via=whatsapp|mm7|twilio` and a `file`."""
        form, file = request.form, request.files.get("file")
        if file is None or not form.get("msisdn"):
            abort(400, "a picture needs msisdn and file")
        content, caption, via = file.read(), form.get("caption", ""), form.get("via", "whatsapp")
        ending = (file.filename or "").rsplit(".", 1)[-1].lower()
        mime_type = _MEDIA_TYPES.get(ending, file.mimetype or "application/octet-stream")
        if via == "whatsapp":
            identity = new_id("media")
            carrier.media[identity] = (content, mime_type)
            image = {"id": identity, "mime_type": mime_type, "caption": caption}
            message = {"type": "image", "image": image}
            carrier.accept("whatsapp", form["msisdn"], sender="person", message=message)
            return _taken(network.whatsapp(carrier, form["msisdn"], message))
        carrier.accept("mms", form["msisdn"], sender="person", text=caption)
        send = network.twilio if via == "twilio" else network.mm7
        return _taken(send(carrier, form["msisdn"], content, mime_type, caption))

    @routes.get("/api/media/<identity>")
    def media(identity: str) -> Response:
        if identity not in carrier.media:
            abort(404, "no such picture")
        content, mime_type = carrier.media[identity]
        return Response(content, mimetype=mime_type)

    @routes.get("/api/calls")
    def calls() -> Any:
        msisdn = request.args.get("msisdn", "")
        with carrier.locked():
            return jsonify(calls=[vars(call) for call in carrier.calls.values() if call.msisdn == msisdn])

    @routes.post("/api/calls")
    def place_call() -> Any:
        """The person rings the clinic: "beep me"."""
        call = Call(new_id("ATVId_"), _body("msisdn")["msisdn"], "Inbound", state="active", started=time.time())
        with carrier.locked():
            carrier.calls[call.id] = call
        return _voice(call, voice.begin)

    @routes.post("/api/calls/<identity>/<action>")
    def on_call(identity: str, action: str) -> Any:
        call = carrier.calls.get(identity)
        if call is None:
            abort(404, "no such call")
        if action == "answer":
            call.state, call.started = "active", time.time()
            return _voice(call, voice.begin)
        if action == "digits":
            return _voice(call, voice.press, str(_body("digits")["digits"]))
        if action == "silence":
            return _voice(call, voice.press, "")
        return _voice(call, voice.hang_up)

    @routes.get("/api/audio")
    def audio() -> Response:
        """What a Play address plays, fetched as the carrier does."""
        try:
            answer = voice.fetch(carrier, request.args.get("url", ""))
        except GatewayAway as problem:
            abort(502, str(problem))
        return Response(answer, mimetype="audio/wav")

    @routes.get("/api/ledger")
    def ledger() -> Any:
        with carrier.locked():
            return jsonify(entries=carrier.ledger)

    @routes.post("/api/faults")
    def faults() -> Any:
        """Sets what goes wrong, and how often: `{"sms_500": 3}`."""
        with carrier.locked():
            carrier.faults.update({name: int(times) for name, times in _body().items()})
            return jsonify(carrier.faults)

    def _voice(call: Call, act: Any, *arguments: Any) -> Any:
        try:
            act(carrier, call, *arguments)
        except GatewayAway as problem:
            return jsonify(error=str(problem), call=vars(call)), 502
        return jsonify(call=vars(call))

    return routes


def _taken(taken: bool) -> tuple[Response, int]:
    return (jsonify(taken=True), 200) if taken else (jsonify(error="the gateway did not take the message"), 502)


def _body(*needed: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or any(not isinstance(body.get(name), str) for name in needed):
        abort(400, f"expected a JSON object with {', '.join(needed) or 'fields'}")
    return body
