"""The phones: what the page, the terminal phone and the tests do with their hands."""

from __future__ import annotations

import io
import time
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request

from services.channels.simulator import network, ussd, voice
from services.channels.simulator.network import GatewayAway
from services.channels.simulator.state import FAULTS, Call, Carrier, UssdSession, new_id

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
        """A drawn retina, clear or with signs of disease: no photograph of a person comes with the project.

        `size` is its side in pixels, 64 to 1600.
        """
        from models.dr.phantom import draw

        if name not in _SAMPLES:
            abort(404, "samples are clear-N.jpg and signs-N.jpg")
        size = min(max(request.args.get("size", 800, int), 64), 1600)
        file = io.BytesIO()
        draw(seed, size, lesions=_SAMPLES[name]).save(file, "JPEG", quality=88)
        return Response(file.getvalue(), mimetype="image/jpeg", headers={"Cache-Control": "max-age=86400"})

    @routes.post("/api/ussd")
    def ussd_turn() -> Any:
        """`{msisdn, dial?, input?, text?, session_id?}`: dials the service's code or `dial`, or answers with `input`.

        `text` sends exactly that, in the session open or named: what a network repeats or mangles.
        """
        body = _body("msisdn")
        msisdn = body["msisdn"]
        if "text" in body:
            session = carrier.sessions.get(msisdn)
            if session is None or body.get("session_id", session.id) != session.id:
                session = UssdSession(str(body.get("session_id") or new_id("ATUid_")), "", time.time())
            session.text = str(body["text"])
            done = ussd.send(carrier, msisdn, session)
        elif "input" in body:
            done = ussd.answer(carrier, msisdn, str(body["input"]))
        else:
            done = ussd.dial(carrier, msisdn, str(body.get("dial") or carrier.config.ussd_code))
        ended = done.screen.startswith("END")
        return jsonify(session_id=done.id, text=done.text, screen=done.screen[4:], ended=ended)

    @routes.post("/api/ussd/end")
    def ussd_end() -> Any:
        ussd.hang_up(carrier, _body("msisdn")["msisdn"])
        return jsonify(ended=True)

    @routes.post("/api/sms")
    def sms() -> Any:
        body = _body("msisdn", "text")
        carrier.accept("sms", body["msisdn"], text=body["text"], sender="person")
        network.sms(carrier, body["msisdn"], body["text"])
        return jsonify(taken=True)

    @routes.post("/api/optout")
    def optout() -> Any:
        network.optout(carrier, _body("msisdn")["msisdn"])
        return jsonify(taken=True)

    @routes.get("/api/inbox")
    def inbox() -> Any:
        return jsonify(messages=carrier.of("sms", request.args.get("msisdn", "")))

    @routes.post("/api/whatsapp")
    def whatsapp() -> Any:
        """`{msisdn, text, choice?, hide_number?}`: a text, or the pressed button or list row `choice`."""
        body = _body("msisdn")
        text, choice = str(body.get("text", "")), str(body.get("choice", ""))
        message: dict[str, Any] = {"type": "text", "text": {"body": text}}
        if choice:
            reply = {"id": choice, "title": text}
            message = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        carrier.accept("whatsapp", body["msisdn"], sender="person", message=message)
        network.whatsapp(carrier, body["msisdn"], message, hide_number=bool(body.get("hide_number")))
        return jsonify(taken=True)

    @routes.get("/api/whatsapp")
    def chat() -> Any:
        return jsonify(messages=carrier.of("whatsapp", request.args.get("msisdn", "")))

    @routes.post("/api/picture")
    def picture() -> Any:
        """Form `msisdn, caption, via=whatsapp|document|mm7|twilio` and a `file`."""
        form, file = request.form, request.files.get("file")
        if file is None or not form.get("msisdn"):
            abort(400, "a picture needs msisdn and file")
        content, caption, via = file.read(), form.get("caption", ""), form.get("via", "whatsapp")
        ending = (file.filename or "").rsplit(".", 1)[-1].lower()
        mime_type = _MEDIA_TYPES.get(ending, file.mimetype or "application/octet-stream")
        if via in ("whatsapp", "document"):
            kind, identity = "document" if via == "document" else "image", new_id("media")
            carrier.media[identity] = (content, mime_type)
            message = {"type": kind, kind: network.image_of(identity, content, mime_type, caption)}
            carrier.accept("whatsapp", form["msisdn"], sender="person", message=message)
            network.whatsapp(carrier, form["msisdn"], message)
        elif via in ("mm7", "twilio"):
            carrier.accept("mms", form["msisdn"], sender="person", text=caption)
            send = network.twilio if via == "twilio" else network.mm7
            send(carrier, form["msisdn"], content, mime_type, caption)
        else:
            abort(400, "via is whatsapp, document, mm7 or twilio")
        return jsonify(taken=True)

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
        if action == "answer" and call.of:
            return _voice(call, voice.pick_up)
        if action == "answer":
            with carrier.locked():
                if call.state != "ringing":  # two pages may show the same phone
                    return jsonify(call=vars(call))
                call.state, call.started = "active", time.time()
            return _voice(call, voice.begin)
        if action == "hangup":
            return _voice(call, voice.hang_up)
        if action not in ("digits", "silence"):
            abort(404, "a call takes answer, digits, silence and hangup")
        return _voice(call, voice.press, str(_body("digits")["digits"]) if action == "digits" else "")

    @routes.get("/api/audio")
    def audio() -> Response:
        """What a call played at an address, or what it would play now."""
        url = request.args.get("url", "")
        return Response(carrier.audio.get(url) or voice.fetch(carrier, url), mimetype="audio/wav")

    @routes.get("/api/ledger")
    def ledger() -> Any:
        with carrier.locked():
            return jsonify(entries=carrier.ledger)

    @routes.post("/api/faults")
    def faults() -> Any:
        """Sets what goes wrong, and how often: `{"sms_500": 3}`."""
        wanted = _body()
        if unknown := sorted(set(wanted) - set(FAULTS)) or not all(isinstance(n, int) for n in wanted.values()):
            abort(400, f"unknown {unknown}: a fault is a number for one of {', '.join(FAULTS)}")
        with carrier.locked():
            carrier.faults.update(wanted)
            return jsonify(carrier.faults)

    def _voice(call: Call, act: Any, *arguments: Any) -> Any:
        try:
            act(carrier, call, *arguments)
        except GatewayAway as problem:
            return jsonify(error=str(problem), call=vars(call)), 502
        return jsonify(call=vars(call))

    @routes.errorhandler(GatewayAway)
    def away(problem: GatewayAway) -> Any:
        return jsonify(error=str(problem)), 502

    @routes.errorhandler(ussd.WrongCode)
    def wrong_code(_problem: ussd.WrongCode) -> Any:
        return jsonify(error=f"Nobody answers that code. Dial {carrier.config.ussd_code}."), 404

    return routes


def _body(*needed: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or any(not isinstance(body.get(name), str) for name in needed):
        abort(400, f"expected a JSON object with {', '.join(needed) or 'fields'}")
    return body
