"""tus 1.0 (https://tus.io/protocols/resumable-upload): photographs come in pieces, and go on where the link broke.

Core, creation, creation-with-upload, checksum, expiration and termination. A site signs the creation; the address that
it is answered is a secret of 144 bits and is all that official clients need from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64decode
from collections.abc import Iterator
from email.utils import formatdate
from typing import IO

from flask import Blueprint, Response, request
from werkzeug.exceptions import ClientDisconnected

from services.hub import photographs, runtime, uploads
from services.hub.doors import Refused, site_of_request
from services.hub.photographs import Unsound
from services.hub.uploads import Moved, Upload
from services.store.clock import DAY_MS
from services.sync.about import About, BadMetadata, read_header

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = ("sha1", "sha256")
MAX_SIZE = 1024 * 1024
"""Bytes of one upload: ten times what a site sends."""
CHUNK_TYPE = "application/offset+octet-stream"
_METHODS = ["OPTIONS", "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_PIECE = 4096
_FLUSH_S = 1.0  # what came is safe a second later at most, whatever becomes of the line
_SILENCE_S = 30.0  # a line that carries nothing for so long is dead: TCP alone would hold the thread for hours

blueprint = Blueprint("tus", __name__)


@blueprint.route("/files", methods=_METHODS, provide_automatic_options=False, strict_slashes=False)
def creation() -> Response:
    """OPTIONS, and POST to begin an upload."""
    method = _method()
    if method == "OPTIONS":
        return _options()
    _check_version()
    if method != "POST":
        raise Refused(405, "an upload is begun with POST")
    return _create()


@blueprint.route("/files/<token>", methods=_METHODS, provide_automatic_options=False)
def one(token: str) -> Response:
    """HEAD, PATCH and DELETE of one upload."""
    method = _method()
    if method == "OPTIONS":
        return _options()
    _check_version()
    if method not in ("HEAD", "PATCH", "DELETE"):
        raise Refused(405, "an upload knows HEAD, PATCH and DELETE")
    found = uploads.find(runtime.current().db, token)
    if found is None:
        raise Refused(404, "no such upload")
    if found.revoked:
        raise Refused(403, "this site was revoked")
    if found.state not in (uploads.RECEIVING, uploads.FINISHED):
        raise Refused(410, f"this upload is over: {found.state}")
    if method == "HEAD":
        return _head(found)
    return _patch(found) if method == "PATCH" else _terminate(found)


@blueprint.after_request
def _named(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    return response


def _options() -> Response:
    return Response(
        status=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(MAX_SIZE),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


def _create() -> Response:
    site = site_of_request()
    if "Upload-Defer-Length" in request.headers or "Upload-Concat" in request.headers:
        raise Refused(400, "neither deferred lengths nor concatenation are known here")
    length = _size("Upload-Length")
    if length > MAX_SIZE:
        raise Refused(413, f"at most {MAX_SIZE} bytes")
    if not length:
        raise Refused(400, "Upload-Length: a photograph is not empty")
    metadata = request.headers.get("Upload-Metadata", "")
    try:
        about = About.from_metadata(read_header(metadata))
    except BadMetadata as problem:
        raise Refused(400, f"Upload-Metadata: {problem}") from None
    first = request.get_data()
    if first:
        _check_type()
        _check_room(len(first), length)
        _verify(first, _checksum())
    hub, keep_ms = runtime.current(), _keep_ms()
    with hub.db.write() as tx:
        uploads.expire(tx)
        if photographs.is_withdrawn(tx, site.id, about.screening_ref):
            raise Refused(403, "this consent was taken back")
        begun = uploads.create(
            tx, site.id, photo_ref=about.photo_ref, metadata=metadata, length=length, keep_ms=keep_ms
        )
    headers = {"Location": f"/files/{begun.token}"}
    if first:
        begun = uploads.append(hub.db, begun, first, keep_ms=keep_ms)
        headers["Upload-Offset"] = str(begun.offset)
        _finish(begun)
    return Response(status=201, headers=headers | _expires(begun))


def _head(found: Upload) -> Response:
    if found.state == uploads.RECEIVING:
        found = uploads.resume(runtime.current().db, found)
        _finish(found)  # a process that died before its end must not leave a photograph that counts as sent
    return Response(
        status=200,
        headers={
            "Upload-Offset": str(found.offset),
            "Upload-Length": str(found.length),
            "Upload-Metadata": found.metadata,
            "Cache-Control": "no-store",
        }
        | _expires(found),
    )


def _patch(found: Upload) -> Response:
    _check_type()
    begins = _size("Upload-Offset")
    checksum = _checksum()
    db = runtime.current().db
    if begins != found.offset:
        uploads.count_lost(db, found, sum(map(len, _body())))  # read all the same: the connection is kept
        raise Refused(409, f"the upload is at byte {found.offset}")
    _check_room(request.content_length or 0, found.length - found.offset)
    try:
        now = _take_whole(found, checksum) if checksum else _take_as_it_comes(found)
    except Moved:
        raise Refused(409, "the upload has moved meanwhile") from None
    _finish(now)
    return Response(status=204, headers={"Upload-Offset": str(now.offset)} | _expires(now))


def _take_as_it_comes(found: Upload) -> Upload:
    """Keeps whatever came, also of a request that breaks off."""
    db, keep_ms = runtime.current().db, _keep_ms()
    pieces, held = _body(), bytearray()
    due = time.monotonic() + _FLUSH_S

    def keep(known: Upload) -> Upload:
        if not held:
            return known
        try:
            return uploads.append(db, known, bytes(held), keep_ms=keep_ms)
        except Moved:
            uploads.count_lost(db, known, len(held) + sum(map(len, pieces)))
            raise

    for piece in pieces:
        _check_room(len(held) + len(piece), found.length - found.offset)
        held += piece
        if time.monotonic() >= due:
            found = keep(found)
            held.clear()
            due = time.monotonic() + _FLUSH_S
    return keep(found)


def _take_whole(found: Upload, checksum: tuple[str, bytes]) -> Upload:
    """Keeps a piece whose checksum is right, or nothing of it."""
    db = runtime.current().db
    content = b"".join(_body())
    try:
        _check_room(len(content), found.length - found.offset)
        _verify(content, checksum)
        return uploads.append(db, found, content, keep_ms=_keep_ms())
    except (Moved, Refused):
        uploads.count_lost(db, found, len(content))
        raise


def _terminate(found: Upload) -> Response:
    """Frees what an unfinished upload takes up. A photograph that was put away stays: it goes with its consent."""
    with runtime.current().db.write() as tx:
        uploads.end(tx, [found.id], uploads.TERMINATED)
    return Response(status=204)


def _finish(known: Upload) -> None:
    if not known.complete or known.state != uploads.RECEIVING:
        return
    try:
        photographs.finish(runtime.current(), known)
    except Unsound as problem:
        raise Refused(460 if problem.mismatch else 422, problem.reason) from None


def _body() -> Iterator[bytes]:
    """What comes, until it ends or breaks off. The stream is the server's own: what Werkzeug wraps it in throws away
    what came before a break."""
    stream: IO[bytes] = request.environ["wsgi.input"]
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(_SILENCE_S)
    left = request.content_length
    if left is None and not request.environ.get("wsgi.input_terminated"):
        return
    while left is None or left > 0:
        try:
            piece = stream.read(_PIECE if left is None else min(_PIECE, left))
        except (OSError, ClientDisconnected, ValueError):
            return
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece


def _method() -> str:
    return request.headers.get("X-HTTP-Method-Override", request.method).upper()


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Refused(412, f"Tus-Resumable: {VERSION}")


def _check_type() -> None:
    if request.mimetype != CHUNK_TYPE:
        raise Refused(415, f"Content-Type: {CHUNK_TYPE}")


def _check_room(size: int, room: int) -> None:
    if size > room:
        raise Refused(413, "more bytes than Upload-Length announced")


def _size(name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(400, f"{name}: a number of bytes")
    return int(text)


def _checksum() -> tuple[str, bytes] | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Refused(400, f"Upload-Checksum: {' or '.join(ALGORITHMS)}")
    try:
        return algorithm, b64decode(encoded, validate=True)
    except ValueError:
        raise Refused(400, "Upload-Checksum: not base64") from None


def _verify(content: bytes, checksum: tuple[str, bytes] | None) -> None:
    if checksum and not hmac.compare_digest(hashlib.new(checksum[0], content).digest(), checksum[1]):
        raise Refused(460, "the checksum of these bytes is another")


def _keep_ms() -> int:
    return runtime.current().settings.hub_upload_days * DAY_MS


def _expires(known: Upload) -> dict[str, str]:
    return {} if known.complete else {"Upload-Expires": formatdate(known.expires_at / 1000, usegmt=True)}
