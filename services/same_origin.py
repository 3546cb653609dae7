"""What a browser sends for a page of another site is refused: it would come with what opens ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, request


def refuse_other_sites() -> None:
    """403 unless a request that may change something comes from a page of this very address."""
    origin = request.headers.get("Origin")
    if request.method not in ("GET", "HEAD") and origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)
