"""What a browser sends for a page of another site is refused: it would come with what opens ours. Forms hold a token
besides, which only whoever got a page with this cookie knows."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import abort, request


def refuse_other_sites() -> None:
    """403 unless a request that may change something comes from a page of this very address."""
    origin = request.headers.get("Origin")
    if request.method not in ("GET", "HEAD") and origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def form_token(cookie: str) -> str:
    """What a form of somebody with this cookie must hold as `token`."""
    return hashlib.sha256(b"form:" + cookie.encode()).hexdigest()


def has_form_token(cookie: str) -> bool:
    """Whether the form that was sent holds it."""
    return hmac.compare_digest(request.form.get("token", "").encode(), form_token(cookie).encode())
