"""Counts what comes to the gateway and what it answers, around the application, so that nothing is left out.

A connection is new when its far end is: behind a proxy that opens one for each request, each counts as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.ledger.meter import Purpose
from services.ledger.tally import Tally
from services.ledger.wire import Exchange

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_AT: dict[str, Purpose] = {"ussd": "ussd", "ussd-end": "ussd", "voice": "call"}
_OTHERS: dict[str, tuple[Purpose, str]] = {
    "audio": ("call", "africastalking"),
    "whatsapp": ("whatsapp", "whatsapp"),
    "mm7": ("mms", "mm7"),
    "twilio": ("mms", "twilio"),
}
_LINE = len(" HTTP/1.1\r\n\r\n")
_STATUS = len("HTTP/1.1 \r\n\r\n")
_FIELD = len(": \r\n")
_WAITRESS = len("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")  # which the server adds


def counted(application: WSGIApplication, tally: Tally, public_url: str) -> WSGIApplication:
    """The application, with every exchange over the wide-area link added to `tally`."""
    public_host = urlsplit(public_url).netloc

    def count(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        received = [0]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            size = _STATUS + len(status) + _WAITRESS
            for name, value in headers:
                size += len(name) + len(value) + _FIELD
                if name == "Content-Length" and environ["REQUEST_METHOD"] != "HEAD" and value.isdigit():
                    size += int(value)
            received[0] = size
            return start_response(status, headers, *rest)

        answer = application(environ, start)
        what = _purpose(environ, public_host)
        if what is not None:
            connection = f"{environ.get('REMOTE_ADDR')}:{environ.get('REMOTE_PORT')}"
            tally.record(*what, Exchange(received[0], _request_size(environ), connection))
        return answer

    return count


def _purpose(environ: WSGIEnvironment, public_host: str) -> tuple[Purpose, str] | None:
    """Why this goes over the wide-area link, and who bills it; None for a browser of the clinic's own network."""
    parts = environ.get("PATH_INFO", "").split("/", 4)
    first = parts[1] if len(parts) > 1 else ""
    if first == "at" and len(parts) > 3:
        return _AT.get(parts[3], "sms"), "africastalking"
    if first in _OTHERS:
        return _OTHERS[first]
    from_outside = public_host and environ.get("HTTP_HOST") == public_host
    return ("web", "web") if from_outside or not _is_near(environ.get("REMOTE_ADDR") or "") else None


def _is_near(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return True  # a Unix socket


def _request_size(environ: WSGIEnvironment) -> int:
    size = len(environ["REQUEST_METHOD"]) + 1 + len(environ.get("PATH_INFO", "")) + _LINE
    query = environ.get("QUERY_STRING")
    if query:
        size += len(query) + 1
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            size += len(name) - len("HTTP_") + len(value) + _FIELD
    length, kind = environ.get("CONTENT_LENGTH"), environ.get("CONTENT_TYPE")
    if kind:
        size += len("Content-Type") + len(kind) + _FIELD
    if length and length.isdigit():
        size += len("Content-Length") + len(length) + _FIELD + int(length)
    return size
