"""Who may use the pages under /console: whoever knows the password, or, without one, a browser on this machine."""

from __future__ import annotations

import hmac
import time
from collections import deque
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request

from services import runtime
from services.same_origin import refuse_other_sites

_HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})
_GUESSES, _WITHIN_S = 10, 60.0
_wrong: deque[float] = deque(maxlen=_GUESSES)


def guard(blueprint: Blueprint) -> None:
    """Lets nobody else reach any route of a blueprint."""
    blueprint.before_request(_check)


def _check() -> Response | None:
    refuse_other_sites()
    password = runtime.current().settings.console_password.get_secret_value()
    if not password:
        _require_this_machine()
        return None
    if len(_wrong) == _GUESSES and time.monotonic() - _wrong[0] < _WITHIN_S:
        return Response("Too many wrong passwords. Try again in a minute.\n", 429, mimetype="text/plain")
    given = request.authorization
    if given is not None and hmac.compare_digest((given.password or "").encode(), password.encode()):
        return None
    if given is not None:
        _wrong.append(time.monotonic())
    return Response(
        "The console needs its password.\n",
        401,
        {"WWW-Authenticate": 'Basic realm="Jicho console", charset="UTF-8"'},
        mimetype="text/plain",
    )


def _require_this_machine() -> None:
    """403 unless a browser on this machine asks for it by one of this machine's own names: another site's page can make
    its own name lead here, and a proxy on this machine brings everybody's requests."""
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    proxied = bool(runtime.current().settings.public_url)
    if proxied or name not in _HERE or not ip_address(request.remote_addr or "0.0.0.0").is_loopback:
        abort(403, "Set JICHO_CONSOLE_PASSWORD to use the console from elsewhere.")
