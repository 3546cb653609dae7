"""Call audio, behind links that expire."""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, request, send_file

from services import runtime
from services.calls.clips import may_play, path_of
from services.calls.playback import TYPES, joined

blueprint = Blueprint("audio", __name__)


@blueprint.get("/audio/<name>.<ending>")
def play(name: str, ending: str) -> Response:
    """What one step of a call says, 8 kHz mono. 403 for a link that is not ours or has expired."""
    site = runtime.current()
    settings = site.settings
    if not may_play(settings, name, request.args.get("until", ""), request.args.get("signature", "")):
        abort(403)
    expected, mime_type = TYPES[settings.call_audio]
    if ending != expected:
        abort(404)
    try:
        sound = joined([path_of(settings, site.clips_dir, key) for key in name.split("-")], settings.call_audio)
    except OSError:
        abort(404)
    return send_file(io.BytesIO(sound), mimetype=mime_type, conditional=True)
