"""Call audio, behind links that expire."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request, send_file

from services import runtime
from services.calls.clips import may_play, path_of

blueprint = Blueprint("audio", __name__)


@blueprint.get("/audio/<key>.wav")
def play(key: str) -> Response:
    """One sentence, 8 kHz mono WAV. 403 for a link that is not ours or has expired."""
    site = runtime.current()
    if not may_play(site.settings, key, request.args.get("until", ""), request.args.get("signature", "")):
        abort(403)
    path = path_of(site.clips_dir, key).resolve()
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype="audio/wav", conditional=True)
