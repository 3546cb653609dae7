"""The size of an HTTP exchange that this site began, from the answer's object: HTTP/1.1 as it was written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.ledger.wire import Exchange

if TYPE_CHECKING:
    import httpx
    import requests

_START = len(" HTTP/1.1\r\n") + len("\r\n")  # of a request, and the empty line behind the headers
_STATUS = len("HTTP/1.1 200 ") + 2 * len("\r\n")


def of_httpx(answer: httpx.Response) -> Exchange:
    """Of one answer of httpx, as far as its body was read. Redirects that led to it are exchanges of their own."""
    request = answer.request
    return Exchange(
        sent=len(request.method) + 1 + len(request.url.raw_path) + _START + _size(request.headers.raw) + _body(request),
        received=_STATUS + len(answer.reason_phrase) + _size(answer.headers.raw) + answer.num_bytes_downloaded,
        connection=_connection(answer),
    )


def of_requests(answer: requests.Response) -> Exchange:
    """Of one answer of `requests`, whose body was read. Without a session each exchange has its own connection."""
    request = answer.request
    where = urlsplit(request.url or "")
    path = len(where.path or "/") + (len(where.query) + 1 if where.query else 0)
    headers = _size(request.headers.items()) + len("Host: \r\n") + len(where.netloc)  # which http.client adds
    body = int(request.headers.get("Content-Length") or 0)
    packed = answer.headers.get("Content-Length")
    content = int(packed) if packed and packed.isdigit() else len(answer.content)
    return Exchange(
        sent=len(request.method or "GET") + 1 + path + _START + headers + body,
        received=_STATUS + len(answer.reason or "") + _size(answer.headers.items()) + content,
    )


def _connection(answer: httpx.Response) -> str:
    stream = answer.extensions.get("network_stream")
    try:
        address = stream.get_extra_info("client_addr") if stream is not None else None
    except OSError:  # closed behind this answer, as it was opened for it
        return ""
    return f"{address[0]}:{address[1]}" if address else ""


def _body(request: httpx.Request) -> int:
    length = request.headers.get("Content-Length", "0")
    return int(length) if length.isdigit() else 0


def _size(headers: Iterable[tuple[str | bytes, str | bytes]]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
