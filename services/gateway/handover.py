"""The doors by which the web app hands over what it kept: enrolled once, then by a token a phone."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, jsonify, make_response, request

from flows.catalogue import LANGUAGES
from flows.open_screening import OLDEST
from services import runtime
from services.channels.phone_numbers import NotAPhone, normalise
from services.same_origin import refuse_other_sites
from services.screening import pocket, pocket_life
from services.screening.decision import EYES

blueprint = Blueprint("handover", __name__, url_prefix="/app")
blueprint.before_request(refuse_other_sites)

_LARGEST_PHOTOGRAPH = 16 * 1024 * 1024
_LARGEST_READING = 8 * 1024
_CONSENT = re.compile(r"\d{4}-\d\d", re.ASCII)
_CODE = re.compile(r"\d{6}", re.ASCII)


@blueprint.post("/enrol/code")
def code() -> tuple[str, int]:
    """Sends a code to a health worker's number. The answer is the same whether it is one."""
    site = runtime.current()
    msisdn = _msisdn(_json().get("phone"))
    with site.db.write() as tx:
        pocket.send_code(tx, msisdn)
    return "", 204


@blueprint.post("/enrol")
def enrol() -> Response:
    """The token of this phone, for a code. 403 for a wrong one."""
    given = _json()
    msisdn, typed = _msisdn(given.get("phone")), str(given.get("code", ""))
    with runtime.current().db.write() as tx:
        token = pocket.enrol(tx, msisdn, typed) if _CODE.fullmatch(typed) else None
    if token is None:
        abort(403)
    return jsonify(token=token)


@blueprint.put("/screenings/<uuid:ref>")
def screening(ref: UUID) -> Response:
    """A screening that the phone opened: its code here. As often as it comes, one. 410 once its consent was
    taken back."""
    given = _checked(_json())
    try:
        with runtime.current().db.write() as tx:
            return jsonify(pocket.take_screening(tx, _device(tx), str(ref), given))
    except pocket.NotTaken:
        abort(410)


@blueprint.delete("/screenings/<uuid:ref>")
def withdrawal(ref: UUID) -> tuple[str, int]:
    """A patient took her consent back on the phone. As often as it comes, once."""
    with runtime.current().db.write() as tx:
        pocket_life.withdraw(tx, _device(tx), str(ref))
    return "", 204


@blueprint.get("/news")
def news() -> Response:
    """What became of this phone's screenings, by the names that it gave them; 304 when nothing did since the `ETag`."""
    with runtime.current().db.read() as tx:
        device = _device(tx)
        answer = jsonify(pocket_life.news(tx, device))
    if pocket_life.is_long_unseen(device):
        with runtime.current().db.write() as tx:
            pocket_life.note_seen(tx, device)
    answer.add_etag()
    answer.headers["Cache-Control"] = "no-store"
    answer.make_conditional(request)
    return answer


@blueprint.put("/screenings/<uuid:ref>/photographs/<uuid:photo>")
def photograph(ref: UUID, photo: UUID) -> tuple[str, int]:
    """A photograph as `photograph`, with `eye` and the phone's own `reading`. As often as it comes, one."""
    site = runtime.current()
    with site.db.read() as tx:
        device = _device(tx)
    file, eye, said = request.files.get("photograph"), request.form.get("eye"), request.form.get("reading", "")
    if file is None or eye not in EYES or len(said) > _LARGEST_READING:
        abort(400)
    content = file.read(_LARGEST_PHOTOGRAPH + 1)
    if len(content) > _LARGEST_PHOTOGRAPH:
        abort(413)
    try:
        read = json.loads(said)
        pocket.take_photograph(site, device, str(ref), str(photo), eye=eye, content=content, read=read)
    except (ValueError, TypeError):
        abort(400)
    except pocket.NotTaken:
        abort(410)
    return "", 204


def _device(tx: Any) -> Any:
    """The enrolled phone that asks; 401 for another, 403 for one that was closed: it erases what it holds."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    device = pocket.device_of(tx, token) if scheme == "Bearer" and token else None
    if device is None:
        abort(401)
    if device.revoked_at is not None:
        abort(make_response(jsonify(closed=True), 403))
    return device


def _json() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        abort(400)
    return given


def _msisdn(phone: object) -> str:
    try:
        return normalise(str(phone), region=runtime.current().settings.region)
    except NotAPhone:
        abort(400)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """What a phone says of a screening; 400 for what its own form would not let through."""
    phone = given.get("phone")
    born = given.get("birth_year")
    right = (
        given.get("sex") in ("female", "male")
        and type(born) is int
        and OLDEST <= born <= 2100
        and given.get("language") in LANGUAGES
        and _CONSENT.fullmatch(str(given.get("consent")))  # what was read to her, which may be last year's
        and all(type(given.get(name)) is bool for name in ("urgent", "one_eye"))
    )
    if not right:
        abort(400)
    return given | {"phone": _msisdn(phone) if phone else None}
