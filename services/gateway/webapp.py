"""The web app at `/app/`: screening in a phone's browser, also where no server is in reach.

Its files are public: they hold no patient's data. What it sends comes in by doors of its own.
"""

from __future__ import annotations

import io

from flask import Blueprint, Response, abort, jsonify, redirect, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from services import runtime
from services.gateway import webapp_files as files
from services.gateway.webapp_files import File

blueprint = Blueprint("webapp", __name__, url_prefix="/app")

# Code only from here, WebAssembly included; pictures and sounds also from the phone's own memory.
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_A_YEAR = "public, max-age=31536000, immutable"


@blueprint.after_request
def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


@blueprint.get("")
def lead() -> AnyResponse:
    """The address as people type it."""
    return redirect("/app/", 308)


@blueprint.get("/")
@blueprint.get("/<path:name>")
def shell(name: str = "") -> Response:
    """The page and its files, as they were built. 503 where the app was not built."""
    if not files.is_built():
        return Response("The web app was not built here: python app.py webapp build\n", 503, mimetype="text/plain")
    # Names of assets change with their content; all else is asked for each time.
    return _answer(files.of_shell(name), _A_YEAR if name.startswith("assets/") else "no-cache")


@blueprint.get("/release.json")
def release() -> Response:
    """All files of the newest release, with sizes and hashes. 503 where the app was not built."""
    if not files.is_built():
        abort(503)
    answer = jsonify(files.release(runtime.current()))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/words/<language>.json")
def words(language: str) -> Response:
    """The catalogue of one language."""
    return _answer(files.of_words(runtime.current(), language), "no-cache")


@blueprint.get("/site.json")
def site() -> Response:
    """The clinic's name, and where referred patients are sent."""
    return _answer(files.of_site(runtime.current()), "no-cache")


@blueprint.get("/programmes.json")
def programmes() -> Response:
    """What can be read with the app here."""
    return _answer(files.of_programmes(runtime.current()), "no-cache")


@blueprint.get("/audio/<language>/<message>")
def sound(language: str, message: str) -> Response:
    """A verdict as calls say it. 404 until calls have had it rendered."""
    return _answer(files.of_sound(runtime.current(), language, message), "no-cache")


@blueprint.get("/models/<programme>/<path:name>")
def model(programme: str, name: str) -> Response:
    """A file of the models in use here."""
    return _answer(files.of_model(runtime.current(), programme, name), "no-cache")


def _answer(file: File | None, cached: str) -> Response:
    if file is None:
        abort(404)
    packed = file.packed if request.accept_encodings["gzip"] else None
    served = packed or file.path or io.BytesIO(file.content)
    etag = file.sha256[:32] + ("-gzip" if packed else "")
    response = send_file(served, mimetype=file.mime_type, etag=etag, conditional=True)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = cached
    return response
